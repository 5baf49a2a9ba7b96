package io.loomuring.tls;

import static io.loomuring.tls.OffloadOutcome.*;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.tls.KeyCapture.Direction;

import org.junit.jupiter.api.Test;

import java.util.List;

class TlsStatTest {
    private static TlsStat stat(int sendSoftware, int sendDevice, int receiveSoftware) {
        return TlsStat.of(
                List.of(
                        "TlsCurrTxSw                     \t9",
                        "TlsTxSw                         \t" + sendSoftware,
                        "TlsRxSw                         \t" + receiveSoftware,
                        "TlsTxDevice                     \t" + sendDevice,
                        "TlsRxDevice                     \t0",
                        "TlsTxRekeyOk                    \t5"));
    }

    private static OffloadOutcome taker(Direction direction, TlsStat before, TlsStat after) {
        return before.taker(direction, after);
    }

    @Test
    void shouldTellSoftwareFromADeviceByTheCountThatMoved() {
        assertThat(taker(Direction.SEND, stat(1, 7, 3), stat(2, 7, 3))).isEqualTo(OFFLOADED);
        assertThat(taker(Direction.SEND, stat(1, 7, 3), stat(1, 8, 3)))
                .isEqualTo(OFFLOADED_TO_DEVICE);
        assertThat(taker(Direction.RECEIVE, stat(1, 7, 3), stat(1, 8, 4))).isEqualTo(OFFLOADED);
    }

    @Test
    void shouldNotGuessWhereOthersWereTakenAtTheSameTime() {
        assertThat(taker(Direction.SEND, stat(1, 7, 3), stat(2, 8, 3)))
                .isEqualTo(OFFLOADED_SOMEWHERE);
        assertThat(taker(Direction.SEND, stat(1, 7, 3), stat(3, 8, 3)))
                .isEqualTo(OFFLOADED_SOMEWHERE);
    }

    @Test
    void shouldKnowNothingWhereTheKernelTellsNothing() {
        TlsStat nothing = TlsStat.of(List.of("", "TlsTxSw"));
        assertThat(taker(Direction.SEND, stat(1, 0, 0), stat(1, 0, 0)))
                .isEqualTo(OFFLOADED_SOMEWHERE); // another network namespace
        assertThat(taker(Direction.SEND, nothing, nothing)).isEqualTo(OFFLOADED_SOMEWHERE);
        assertThat(taker(Direction.SEND, nothing, stat(1, 0, 0))).isEqualTo(OFFLOADED_SOMEWHERE);
    }
}
