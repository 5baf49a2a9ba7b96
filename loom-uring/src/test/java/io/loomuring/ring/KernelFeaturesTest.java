package io.loomuring.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.abi.Errno;
import io.loomuring.abi.IoUringAbi;
import io.loomuring.abi.Native;
import io.loomuring.testing.Running;
import io.loomuring.testing.Seccomp;

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
        assertThat(new KernelFeatures(-1, opcodes).missing()).containsExactly("IORING_OP_RECV");
    }

    @Test
    void shouldFindThatAKernelBeforeLinux61LacksSomething() {
        var opcodesOfLinux60 = new BitSet();
        opcodesOfLinux60.set(0, IoUringAbi.IORING_OP_SENDMSG_ZC);
        assertThat(new KernelFeatures(-1, opcodesOfLinux60).missing())
                .containsExactly("IORING_OP_SENDMSG_ZC");
    }

    @Test
    void shouldTellWhichSetupFlagsTheKernelRefuses() {
        Native.load();
        assertThat(KernelFeatures.refusalOf(IoUringAbi.IORING_SETUP_COOP_TASKRUN)).isZero();
        assertThat(KernelFeatures.refusalOf(IoUringAbi.IORING_SETUP_DEFER_TASKRUN))
                .as("without SINGLE_ISSUER")
                .isEqualTo(Errno.EINVAL);
    }

    @Test
    void shouldNoticeThatEnteringIsRefused() throws Exception {
        Native.load();
        Running.onPlatform(
                        () -> {
                            Seccomp.refuse(Seccomp.IO_URING_ENTER, Errno.EPERM);
                            assertThatThrownBy(KernelFeatures::probe)
                                    .isInstanceOf(RingException.class)
                                    .hasMessageStartingWith("io_uring_enter: ");
                        })
                .result();
    }

    @Test
    void shouldNameTheMissingFeatureBits() {
        var opcodes = new BitSet();
        opcodes.set(0, 256);
        int features = ~IoUringAbi.IORING_FEAT_NODROP;
        assertThat(new KernelFeatures(features, opcodes).missing())
                .containsExactly("IORING_FEAT_NODROP");
    }
}
