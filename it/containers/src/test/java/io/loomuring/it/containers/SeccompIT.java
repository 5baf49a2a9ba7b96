package io.loomuring.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.containers.program.EchoServer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.List;

/** What seccomp profiles allow decides where virtual threads run, and the program runs anyway. */
@ExtendWith(Engine.class)
class SeccompIT {
    @Test
    void runsOnTheRingsUnderTheProfileThatWeShip() {
        try (var server = Jvm.onRings(List.of(), EchoServer.class)) {
            server.start();
            assertThat(server.awaitValue("port")).isEqualTo("7000");
            server.endOnRings();
        }
    }
}
