package io.loomuring.jdk;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.ForkJoinPool;

/** The shape of the hook: what this JDK has, and what another one may have. */
class SchedulerHookTest {
    @SuppressWarnings("unused") // looked at by reflection
    private static final class Shapes {
        private static final ForkJoinPool RIGHT = null;
        private static final ExecutorService OF_ANOTHER_TYPE = null;
        private final ForkJoinPool notStatic = null;
    }

    @Test
    void shouldAcceptThisJdk() {
        assertThatCode(JdkInternals::checkSchedulerHook).doesNotThrowAnyException();
        assertThatCode(() -> JdkInternals.checkHook(Shapes.class, "RIGHT"))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({
        "OF_ANOTHER_TYPE, is not a static ForkJoinPool",
        "notStatic, is not a static ForkJoinPool",
        "NONE, does not exist in this JDK"
    })
    void shouldNameTheFieldThatHasAnotherShape(String field, String what) {
        assertThatThrownBy(() -> JdkInternals.checkHook(Shapes.class, field))
                .isInstanceOf(UnsupportedJdkException.class)
                .hasMessage(Shapes.class.getName() + "." + field + " " + what);
    }
}
