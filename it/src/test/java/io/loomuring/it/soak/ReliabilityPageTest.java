package io.loomuring.it.soak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;

/** The page is that of these faults. */
class ReliabilityPageTest {
    private static final Path PAGE = Path.of("../docs/reliability.md");

    @Test
    void shouldHaveARowOfEachFault() throws IOException {
        String page = Files.readString(PAGE);
        var rows = new ArrayList<String>();
        for (Method test : FaultIT.class.getDeclaredMethods()) {
            Fault fault = test.getAnnotation(Fault.class);
            if (fault != null) {
                rows.add("| %s | %s |".formatted(fault.value(), fault.promised()));
            }
        }
        assertThat(rows).isNotEmpty();
        assertThat(page).as("remake it by it/bin/reliability").contains(rows);
    }
}
