package io.loomuring;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.abi.Native;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/** What the doctor makes of what it found. */
class DiagnosisTest {
    private static Diagnosis of(Finding... findings) {
        return new Diagnosis("1.2", List.of(findings), Map.of("loomuring.mode", "auto"));
    }

    @ParameterizedTest
    @EnumSource(Finding.Status.class)
    void shouldFindThatItCanRunUnlessSomethingBlocksIt(Finding.Status status) {
        Diagnosis diagnosis =
                of(Finding.ok("one", "fine"), new Finding("two", status, "why", "what to do"));
        assertThat(diagnosis.canRun()).isEqualTo(status != Finding.Status.BLOCKED);
        assertThat(diagnosis.toTable().lines().toList().getLast())
                .isEqualTo(
                        diagnosis.canRun()
                                ? "Virtual threads can run on io_uring here."
                                : "Virtual threads can't run on io_uring here: see two above.");
    }

    @Test
    void shouldLineUpTheTable() {
        var table =
                of(
                                Finding.ok("one", "fine"),
                                Finding.blocked("twelve", new Obstacle("refused", "allow it")))
                        .toTable();
        assertThat(table)
                .startsWith(
                        """
                        loom-uring 1.2

                        ok       one     fine
                        BLOCKED  twelve  refused
                                         -> allow it

                        properties in effect
                          loomuring.mode  auto
                        """);
    }

    @Test
    void shouldEscapeWhatJsonEscapes() {
        assertThat(of(Finding.ok("one", "a \"b\" \\ \n \t é")).toJson())
                .contains("\"detail\": \"a \\\"b\\\" \\\\ \\n \\u0009 é\"");
    }

    @Test
    void shouldFindKernelTlsAmongTheProtocolsOnTopOfTcp() {
        assertThat(Surroundings.kernelTls("espintcp mptcp tls").status())
                .isEqualTo(Finding.Status.OK);
        for (String without : List.of("", "mptcp", "espintcp tlsx")) {
            assertThat(Surroundings.kernelTls(without))
                    .satisfies(finding -> assertThat(finding.remedy()).contains("modprobe tls"))
                    .extracting(Finding::status)
                    .isEqualTo(Finding.Status.ABSENT);
        }
    }

    @Test
    void shouldTellWhetherTheKeysOfConscryptAreHad() {
        assertThat(Surroundings.keyCapture(Optional.empty()).status()).isEqualTo(Finding.Status.OK);
        assertThat(Surroundings.keyCapture(Optional.of("in TLS 1.2 alone: why")))
                .satisfies(finding -> assertThat(finding.detail()).contains("TLS 1.2 alone: why"))
                .extracting(Finding::status)
                .isEqualTo(Finding.Status.LIMITED);
    }

    @Test
    void shouldSayHowToSwitchTheOffloadOfADeviceOnWhereThatCanBeDone() {
        int on = Native.DEVICE_FEATURE_ACTIVE | Native.DEVICE_FEATURE_CHANGEABLE;
        int off = Native.DEVICE_FEATURE_CHANGEABLE;
        assertThat(Surroundings.offload("NIC", "eth7", on, off))
                .isEqualTo(Finding.ok("NIC", "transmit on, receive off"));
        assertThat(Surroundings.offload("NIC", "eth7", off, 0))
                .isEqualTo(
                        Finding.absent(
                                "NIC",
                                "transmit off, receive off (fixed)",
                                "ethtool -K eth7 tls-hw-tx-offload on tls-hw-rx-offload on"));
        assertThat(Surroundings.offload("NIC", "eth7", 0, 0).remedy()).isEmpty();
    }

    @Test
    void shouldTellWhoResolvesNames() {
        var properties = new Properties();
        assertThat(Surroundings.dns(false, properties).status()).isEqualTo(Finding.Status.ABSENT);
        assertThat(Surroundings.dns(true, properties).status()).isEqualTo(Finding.Status.OK);
        properties.setProperty("loomuring.dns.stale", "60");
        properties.setProperty("loomuring.dns.port", "5353");
        assertThat(Surroundings.dns(true, properties).detail())
                .endsWith("; loomuring.dns.port=5353, loomuring.dns.stale=60");
        for (String off : List.of("off", "false", "no")) {
            properties.setProperty("loomuring.dns", off);
            Finding finding = Surroundings.dns(true, properties);
            assertThat(finding.status()).isEqualTo(Finding.Status.ABSENT);
            assertThat(finding.detail()).contains("loomuring.dns", off, "the JDK resolves names");
            assertThat(finding.remedy()).isNotEmpty();
        }
    }
}
