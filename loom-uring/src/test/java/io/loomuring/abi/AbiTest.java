package io.loomuring.abi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** Java's constants of the kernel's and the C library's ABI against what the C compiler says. */
class AbiTest {
    private static final Class<?>[] CLASSES = {
        IoUringAbi.class, SocketAbi.class, TlsAbi.class, FileAbi.class, Errno.class
    };

    @Test
    void shouldHaveTheValuesOfTheHeaders() throws Exception {
        assertThat(javaConstants()).isEqualTo(tableOfTheCompiler());
    }

    private static Map<String, Long> javaConstants() throws IllegalAccessException {
        var constants = new TreeMap<String, Long>();
        for (Class<?> type : CLASSES) {
            for (Field field : type.getFields()) {
                assertThat(Modifier.isStatic(field.getModifiers())).isTrue();
                long value = ((Number) field.get(null)).longValue();
                Long other = constants.put(field.getName(), value);
                assertThat(other).as("%s in two classes", field.getName()).isNull();
            }
        }
        return constants;
    }

    /** Lines of {@code NAME VALUE}, printed by {@code native/src/test/c/abi_table.c}. */
    private static Map<String, Long> tableOfTheCompiler() throws IOException {
        var table = new TreeMap<String, Long>();
        Path file = Path.of(System.getProperty("native.target"), "abi-table.txt");
        for (String line : Files.readAllLines(file)) {
            int space = line.indexOf(' ');
            table.put(line.substring(0, space), Long.parseLong(line, space + 1, line.length(), 10));
        }
        return table;
    }
}
