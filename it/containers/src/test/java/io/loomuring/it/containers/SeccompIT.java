package io.loomuring.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.containers.program.EchoServer;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.testcontainers.containers.Network;

import java.util.List;
import java.util.stream.Stream;

/** What a seccomp profile allows decides where virtual threads run; the program runs anyway. */
@ExtendWith(Engine.class)
class SeccompIT {
    private static final String NOT_ACTIVE = "loom-uring: not active: ";
    private static final String REQUIRED = "loom-uring: required, but ";
    private static final String REMEDY =
            "allow io_uring_setup, io_uring_enter and io_uring_register";

    private static final int CONNECTIONS = 8;
    private static final int MESSAGES = 50;

    /** A profile that keeps io_uring from us, and the system call that finds it. */
    record Refusal(Seccomp profile, String call) {
        @Override
        public String toString() {
            return profile.toString();
        }
    }

    static final List<Refusal> REFUSALS =
            Stream.of(
                            List.of("io_uring_setup", "io_uring_enter", "io_uring_register"),
                            List.of("io_uring_enter"),
                            List.of("io_uring_register"))
                    .map(calls -> new Refusal(Seccomp.shipped().without(calls), calls.getFirst()))
                    .toList();

    static final List<Seccomp> ALLOWING = List.of(Seccomp.shipped(), Seccomp.UNCONFINED);

    private static Network network;

    @BeforeAll
    static void makeNetwork() {
        network = Networks.create();
    }

    @AfterAll
    static void removeNetwork() {
        network.close();
    }

    @ParameterizedTest
    @FieldSource("ALLOWING")
    void runsOnTheRingsWhereTheProfileAllowsThem(Seccomp profile) {
        try (var server =
                Jvm.withAgent(List.of("-Dloomuring.mode=required"), EchoServer.class)
                        .seccomp(profile)) {
            serve(server);
            server.endOnRings();
        }
    }

    @ParameterizedTest
    @FieldSource("REFUSALS")
    void saysInOneLineWhatTheProfileRefusesAndRunsOnTheJdk(Refusal refusal) {
        try (var server = Jvm.withAgent(List.of(), EchoServer.class).seccomp(refusal.profile())) {
            serve(server);
            assertThat(server.awaitValue("carrier")).startsWith("ForkJoinPool-");
            assertThat(server.errorLines())
                    .singleElement()
                    .asString()
                    .startsWith(NOT_ACTIVE + refusal.call())
                    .contains("Operation not permitted", REMEDY);
        }
    }

    /** Engines differ, and so do their versions: on the rings, or one line. */
    @Test
    void runsUnderTheEnginesOwnProfile() {
        try (var server = Jvm.withAgent(List.of(), EchoServer.class)) {
            serve(server);
            if (server.awaitValue("carrier").startsWith("loom-uring-")) {
                System.out.println("the engine's own profile allows io_uring");
                server.endOnRings();
            } else {
                System.out.println("the engine's own profile refuses io_uring");
                assertThat(server.errorLines())
                        .singleElement()
                        .asString()
                        .startsWith(NOT_ACTIVE)
                        .contains(REMEDY);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("REFUSALS")
    void refusesToStartWhereTheRingsAreRequired(Refusal refusal) {
        try (var server = Jvm.onRings(List.of(), EchoServer.class).seccomp(refusal.profile())) {
            server.start();
            assertThat(server.awaitExit()).as("%s", server).isEqualTo(1);
            assertThat(server.outputLines()).isEmpty();
            assertThat(server.errorLines())
                    .filteredOn(line -> line.contains(REQUIRED))
                    .singleElement()
                    .asString()
                    .contains(refusal.call(), "Operation not permitted", REMEDY);
        }
    }

    @ParameterizedTest
    @FieldSource("REFUSALS")
    void theDoctorTellsWhatTheProfileRefuses(Refusal refusal) {
        try (var doctor = Jvm.doctor().seccomp(refusal.profile())) {
            doctor.start();
            assertThat(doctor.awaitExit()).as("%s", doctor).isEqualTo(1);
            assertThat(doctor.outputLines())
                    .anyMatch(line -> line.matches("ok +seccomp filter +there is one"))
                    .anyMatch(line ->
                            line.matches(
                                    "BLOCKED +io_uring +"
                                            + refusal.call()
                                            + ".*Operation not permitted"))
                    .anyMatch(line -> line.contains("-> " + REMEDY));
        }
    }

    @ParameterizedTest
    @FieldSource("ALLOWING")
    void theDoctorFindsThatAllIsWellWhereTheProfileAllowsTheRings(Seccomp profile) {
        try (var doctor = Jvm.doctor().seccomp(profile)) {
            doctor.start();
            assertThat(doctor.awaitExit()).as("%s", doctor).isZero();
            assertThat(doctor.outputLines())
                    .noneMatch(line -> line.startsWith("BLOCKED"))
                    .anyMatch(line -> line.matches("ok +io_uring +allowed"))
                    .anyMatch(line -> line.matches("ok +trial .* took [1-9][0-9]* ring operations"))
                    .endsWith("Virtual threads can run on io_uring here.");
        }
    }

    /** A client in another container, on the rings, gets all its answers. */
    private static void serve(LocalContainer server) {
        server.withNetwork(network).withNetworkAliases("server").start();
        server.awaitValue("port");
        EchoTraffic.check(network, "server", CONNECTIONS, MESSAGES);
    }
}
