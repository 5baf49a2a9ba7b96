package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.ClassesOfStalls;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Path;

/**
 * What the scheduler's threads do when carriers are blocked must wait for nobody. To load a class
 * is to wait for the locks of its loader and its jar, which a virtual thread may hold that waits
 * for a carrier.
 */
class StallIT {
    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void loadsNoClassToRescueABlockedCarrier(int carriers) throws Exception {
        Path fifo = newFifo();
        var options = Child.agent("-Dloomuring.carriers=" + carriers);
        try (Child child =
                Child.program(
                        options,
                        ClassesOfStalls.class,
                        Integer.toString(carriers),
                        fifo.toString())) {
            assertThat(child.awaitExit()).as("%s", child).isZero();
            assertThat(child.outputLines())
                    .as("of the scheduler's threads alone, and the JDK's hidden ones left out")
                    .filteredOn(line -> !line.contains("java.lang.VirtualThread$$Lambda"))
                    .singleElement()
                    .asString()
                    .matches("fine [1-9][0-9]*");
        }
    }

    private Path newFifo() throws IOException, InterruptedException {
        Path fifo = folder.resolve("fifo");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).inheritIO().start().waitFor())
                .isZero();
        return fifo;
    }
}
