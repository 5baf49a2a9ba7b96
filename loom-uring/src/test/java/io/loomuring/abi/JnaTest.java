package io.loomuring.abi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.util.List;

/** Our JNA beside another one on the class path, which has been told where its library is. */
class JnaTest {
    private static final List<String> PROPERTIES =
            List.of("jna.boot.library.path", "jna.nounpack", "jna.noclasspath");
    private static final String VALUE = "true"; // a folder that does not exist, or a yes

    @BeforeAll
    static void load() {
        PROPERTIES.forEach(property -> System.setProperty(property, VALUE));
        Native.load();
    }

    @AfterAll
    static void clear() {
        PROPERTIES.forEach(System::clearProperty);
    }

    @Test
    void shouldBeAnotherThanTheApplications() throws Exception {
        Class<?> ours = Jna.jnaClass("com.sun.jna.Native");
        assertThat(ours).isNotEqualTo(com.sun.jna.Native.class);
        assertThat(ours.getClassLoader().getName()).isEqualTo("loom-uring-jna");
    }

    @Test
    void shouldLoadWhateverTheApplicationTellsItsOwn() {
        assertThat(Native.strerror(Errno.ENOENT)).isEqualTo("No such file or directory");
    }

    @Test
    void shouldLeaveTheApplicationsProperties() {
        assertThat(PROPERTIES).allMatch(property -> VALUE.equals(System.getProperty(property)));
    }
}
