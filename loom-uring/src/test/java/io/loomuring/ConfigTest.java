package io.loomuring;

import static io.loomuring.abi.IoUringAbi.*;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;
import java.util.Properties;

/** The properties: what each may be, and what a wrong one is told. */
class ConfigTest {
    private static final String PARALLELISM = "jdk.virtualThreadScheduler.parallelism";

    private static Config read(String name, String value) {
        var properties = new Properties();
        properties.setProperty(name, value);
        return Config.read(properties);
    }

    @Test
    void shouldHaveDefaults() {
        Config config = Config.read(new Properties());
        assertThat(config.mode()).isEqualTo(Config.Mode.AUTO);
        assertThat(config.carriers()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(config.stealing()).isTrue();
        assertThat(config.entries()).isEqualTo(256);
        assertThat(config.ringFlags())
                .isEqualTo(IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
        assertThat(config.sqIdleMillis()).isZero();
        assertThat(config.tlsDefault()).isFalse();
        assertThat(config.report()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"required, REQUIRED", "auto, AUTO", "off, OFF"})
    void shouldReadTheMode(String value, Config.Mode mode) {
        assertThat(read("loomuring.mode", value).mode()).isEqualTo(mode);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 1024})
    void shouldReadTheCarriers(int carriers) {
        assertThat(read("loomuring.carriers", Integer.toString(carriers)).carriers())
                .isEqualTo(carriers);
    }

    @Test
    void shouldTakeTheJdksParallelismForTheCarriers() {
        assertThat(read(PARALLELISM, "7").carriers()).isEqualTo(7);
    }

    @ParameterizedTest
    @CsvSource({"7, 3, 3", "3, 7, 3", "3, 32767, 3"})
    void shouldHaveNoMoreCarriersThanTheJdkMayHaveThreads(String wanted, String max, int carriers) {
        for (String property : new String[] {PARALLELISM, "loomuring.carriers"}) {
            var properties = new Properties();
            properties.setProperty(property, wanted);
            properties.setProperty("jdk.virtualThreadScheduler.maxPoolSize", max);
            assertThat(Config.read(properties).carriers()).isEqualTo(carriers);
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 3", "32767, 1024"})
    void shouldReadHowManyCarriersThereMayEverBe(String value, int max) {
        Config config = read("jdk.virtualThreadScheduler.maxPoolSize", value);
        assertThat(config.carriersMax()).isEqualTo(max);
    }

    @Test
    void shouldPreferItsOwnPropertyToTheJdksParallelism() {
        var properties = new Properties();
        properties.setProperty(PARALLELISM, "7");
        properties.setProperty("loomuring.carriers", "3");
        assertThat(Config.read(properties).carriers()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({"on, true", "true, true", "off, false", "false, false"})
    void shouldReadSwitches(String value, boolean on) {
        assertThat(read("loomuring.steal", value).stealing()).isEqualTo(on);
        assertThat(read("loomuring.report", value).report()).isEqualTo(on);
        assertThat(read("loomuring.ktls", value).kernelTls()).isEqualTo(on);
        assertThat(read("loomuring.ktls.zeroCopy", value).kernelTlsZeroCopy()).isEqualTo(on);
        assertThat(read("loomuring.ktls.noPad", value).kernelTlsNoPad()).isEqualTo(on);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 256, 32768})
    void shouldReadTheEntries(int entries) {
        assertThat(read("loomuring.entries", Integer.toString(entries)).entries())
                .isEqualTo(entries);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "none",
                "COOP_TASKRUN",
                "COOP_TASKRUN,TASKRUN_FLAG",
                "COOP_TASKRUN,SINGLE_ISSUER",
                "DEFER_TASKRUN,SINGLE_ISSUER"
            })
    void shouldReadAndNameTheFlagsOfTheRing(String flags) {
        assertThat(read("loomuring.ring.flags", flags).ringFlagNames()).isEqualTo(flags);
    }

    @Test
    void shouldReadTheFlagsOfTheRingInAnyOrder() {
        assertThat(read("loomuring.ring.flags", "SINGLE_ISSUER,DEFER_TASKRUN").ringFlags())
                .isEqualTo(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "loomuring.mode | on | required, auto or off",
                "loomuring.mode | REQUIRED | required, auto or off",
                "loomuring.mode | '' | required, auto or off",
                "loomuring.carriers | 0 | a number from 1 to 1024",
                "loomuring.carriers | -1 | a number from 1 to 1024",
                "loomuring.carriers | 1025 | a number from 1 to 1024",
                "loomuring.carriers | two | a number from 1 to 1024",
                "loomuring.carriers | '' | a number from 1 to 1024",
                "loomuring.carriers | 99999999999 | a number from 1 to 1024",
                "jdk.virtualThreadScheduler.parallelism | 0 | a number from 1 to 1024",
                "loomuring.steal | yes | on or off",
                "loomuring.steal | '' | on or off",
                "loomuring.entries | 4 | a number from 8 to 32768",
                "loomuring.entries | 65536 | a number from 8 to 32768",
                "loomuring.entries | many | a number from 8 to 32768",
                "loomuring.entries | 100 | a power of two",
                "loomuring.ring.flags | '' | none, or some of",
                "loomuring.ring.flags | SQPOLL | none, or some of",
                "loomuring.ring.flags | coop_taskrun | none, or some of",
                "loomuring.ring.flags | COOP_TASKRUN, | none, or some of",
                "loomuring.ring.flags | none,COOP_TASKRUN | none, or some of",
                "loomuring.sqpoll | 0 | on, off, or the milliseconds",
                "loomuring.sqpoll | 60001 | on, off, or the milliseconds",
                "loomuring.sqpoll | true | on, off, or the milliseconds",
                "loomuring.report | 1 | on or off",
                "loomuring.tls | on | default or off",
            })
    void shouldNamePropertyValueAndRemedyOfWhatItCannotUse(
            String name, String value, String remedy) {
        assertThatThrownBy(() -> read(name, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(name, '"' + value + '"', remedy);
    }

    @Test
    void shouldGiveEveryValueBackUnderItsPropertysName() {
        Map<String, String> values = Config.read(new Properties()).properties();
        assertThat(values).hasSameSizeAs(Config.class.getRecordComponents());
        values.put("loomuring.mode", "required");
        values.put("loomuring.carriers", "3");
        values.put("jdk.virtualThreadScheduler.maxPoolSize", "5");
        values.put("loomuring.steal", "off");
        values.put("loomuring.entries", "64");
        values.put("loomuring.ring.flags", "none");
        values.put("loomuring.sqpoll", "20");
        values.put("loomuring.tls", "default");
        values.put("loomuring.report", "on");
        var properties = new Properties();
        properties.putAll(values);
        assertThat(Config.read(properties).properties()).isEqualTo(values);
    }

    @Test
    void shouldNameTheFlagsThatThereAre() {
        assertThatThrownBy(() -> read("loomuring.ring.flags", "SQPOLL"))
                .hasMessageContainingAll(
                        "COOP_TASKRUN", "DEFER_TASKRUN", "SINGLE_ISSUER", "TASKRUN_FLAG");
    }

    @ParameterizedTest
    @CsvSource({"off, 0", "on, 10", "1, 1", "60000, 60000"})
    void shouldReadHowLongTheKernelsThreadPollsWithoutWork(String value, int millis) {
        assertThat(read("loomuring.sqpoll", value).sqIdleMillis()).isEqualTo(millis);
    }

    @Test
    void shouldSetNoFlagOfTaskWorkWhereTheKernelsThreadRunsIt() {
        assertThat(read("loomuring.sqpoll", "on").ringFlags()).isZero();
        assertThat(readPolled("SINGLE_ISSUER").ringFlags()).isEqualTo(IORING_SETUP_SINGLE_ISSUER);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"COOP_TASKRUN", "COOP_TASKRUN,TASKRUN_FLAG", "DEFER_TASKRUN,SINGLE_ISSUER"})
    void shouldRefuseFlagsThatTheKernelRefusesWithItsThread(String flags) {
        assertThatThrownBy(() -> readPolled(flags))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("loomuring.ring.flags", flags, "loomuring.sqpoll");
    }

    private static Config readPolled(String flags) {
        var properties = new Properties();
        properties.setProperty("loomuring.sqpoll", "on");
        properties.setProperty("loomuring.ring.flags", flags);
        return Config.read(properties);
    }

    /** What {@code io_uring_setup} refuses by EINVAL, which tells the user nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"DEFER_TASKRUN", "TASKRUN_FLAG", "DEFER_TASKRUN,COOP_TASKRUN"})
    void shouldRefuseFlagsThatTheKernelRefusesTogether(String flags) {
        assertThatThrownBy(() -> read("loomuring.ring.flags", flags))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("loomuring.ring.flags", flags);
    }
}
