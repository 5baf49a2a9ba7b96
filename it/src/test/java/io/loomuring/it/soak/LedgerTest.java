package io.loomuring.it.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;

/** What a workload's peer takes in, and what it refuses. */
class LedgerTest {
    private static final int STREAM = 3;

    @TempDir private Path folder;
    private final Object connection = new Object();

    private Ledger open() throws IOException {
        return new Ledger(folder.resolve("ledger"));
    }

    @Test
    void shouldTakeEachNumberOnceAndInOrder() throws Exception {
        Ledger ledger = open();
        ledger.hello(STREAM, connection);
        assertThat(ledger.apply(STREAM, connection, 1, 11)).isTrue();
        assertThat(ledger.apply(STREAM, connection, 2, 12)).isTrue();
        assertThatThrownBy(() -> ledger.apply(STREAM, connection, 2, 12))
                .isInstanceOf(Violation.class)
                .hasMessage("stream 3: number 2 came after 2");
        assertThatThrownBy(() -> ledger.apply(STREAM, connection, 4, 14))
                .isInstanceOf(Violation.class)
                .hasMessage("stream 3: number 4 came after 2");
        assertThat(ledger.read(STREAM)).isEqualTo(Ledger.Entry.NONE.and(11).and(12));
    }

    @Test
    void shouldTakeNothingFromAConnectionThatHasASuccessor() throws Exception {
        Ledger ledger = open();
        ledger.hello(STREAM, connection);
        var successor = new Object();
        assertThat(ledger.hello(STREAM, successor)).isEqualTo(Ledger.Entry.NONE);
        assertThat(ledger.apply(STREAM, connection, 1, 11)).isFalse();
        assertThat(ledger.apply(STREAM, successor, 1, 11)).isTrue();
    }

    @Test
    void shouldOutliveItsProcess() throws Exception {
        Ledger ledger = open();
        ledger.hello(STREAM, connection);
        ledger.apply(STREAM, connection, 1, -11);
        ledger.countRequest();
        assertThat(open().hello(STREAM, connection)).isEqualTo(Ledger.Entry.NONE.and(-11));
        assertThat(open().requests()).isEqualTo(1);
    }
}
