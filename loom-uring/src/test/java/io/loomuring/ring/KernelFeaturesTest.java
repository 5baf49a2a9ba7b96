package io.loomuring.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.IoUringAbi;
import io.loomuring.abi.Native;

import org.junit.jupiter.api.Test;

import java.util.BitSet;

/** What the kernel offers against what this project needs. */
class KernelFeaturesTest {
    @Test
    void shouldFindWhatThisKernelHas() throws RingException {
        Native.load();
        KernelFeatures features = KernelFeatures.probe();
        assertThat(features.opcodes().get(IoUringAbi.IORING_OP_NOP)).isTrue();
        assertThat(features.features() & IoUringAbi.IORING_FEAT_NODROP).isNotZero();
        assertThat(features.missing()).isEmpty();
    }

    @Test
    void shouldNameEachMissingOperation() {
        var opcodes = new BitSet();
        opcodes.set(0, 256);
        opcodes.clear(IoUringAbi.IORING_OP_RECV);
        assertThat(new KernelFeatures(-1, opcodes).missing())
                .containsExactly("io_uring operation " + IoUringAbi.IORING_OP_RECV);
    }

    @Test
    void shouldNameTheMissingFeatureBits() {
        var opcodes = new BitSet();
        opcodes.set(0, 256);
        int features = ~IoUringAbi.IORING_FEAT_NODROP;
        assertThat(new KernelFeatures(features, opcodes).missing())
                .containsExactly(
                        "io_uring features 0x"
                                + Integer.toHexString(IoUringAbi.IORING_FEAT_NODROP));
    }
}
