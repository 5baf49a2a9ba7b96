package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.Exhausted;
import io.loomuring.it.program.HoggedEnd;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** A JVM on the carriers ends as another does, and goes on after errors as another does. */
class LifecycleIT {
    private static final int EXIT_CODE = 7; // HoggedEnd's

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void endsWithMainWhileEveryCarrierIsHoggedAndItsHookDoesIo(int carriers) {
        expectEnd(0, Child.agent("-Dloomuring.carriers=" + carriers), "main");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void exitsWhileEveryCarrierIsHoggedAndItsHookDoesIo(int carriers) {
        expectEnd(EXIT_CODE, Child.agent("-Dloomuring.carriers=" + carriers), "exit");
    }

    private static void expectEnd(int exitCode, List<String> options, String way) {
        try (Child child = Child.program(options, HoggedEnd.class, way)) {
            assertThat(child.awaitExit()).as("%s", child).isEqualTo(exitCode);
            assertThat(child.outputLines()).containsExactly("ends", "answer: 42");
            assertThat(child.ringOperations()).isPositive();
        }
    }

    @Test
    void goesOnWhenThreadsRunOutOfMemoryAndOfStack() {
        var options = Child.agent("-Xmx64m", "-XX:+UseSerialGC", "-Dloomuring.carriers=2");
        try (Child child = Child.program(options, Exhausted.class)) {
            assertThat(child.awaitExit()).as("%s", child).isZero();
            System.out.println(child.outputLines() + ", operations: " + child.ringOperations());
            assertThat(child.nextLine()).matches("memory [1-9][0-9]* stack [1-9][0-9]*");
            assertThat(child.errorLines()).noneMatch(line -> line.contains("internal error"));
        }
    }
}
