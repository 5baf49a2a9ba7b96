package io.loomuring.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jdk.net.ExtendedSocketOptions;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.net.ProtocolFamily;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.NetworkChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Socket options: the same set, defaults, values and failures as the JDK's channels have. */
@Timeout(60) // seconds a test; interrupts it
class OptionsTest {

    @ParameterizedTest
    @EnumSource(StandardProtocolFamily.class)
    void shouldHaveTheOptionsAndDefaultsOfTheJdk(ProtocolFamily family) throws Exception {
        try (SocketChannel ours = Provider.OURS.socket(family);
                SocketChannel theirs = Provider.JDK.socket(family);
                ServerSocketChannel ourListener =
                        Provider.OURS.get().openServerSocketChannel(family);
                ServerSocketChannel theirListener =
                        Provider.JDK.get().openServerSocketChannel(family)) {
            assertThat(ours.supportedOptions()).isEqualTo(theirs.supportedOptions());
            assertThat(ourListener.supportedOptions()).isEqualTo(theirListener.supportedOptions());
            assertThat(values(ours)).isEqualTo(values(theirs));
            assertThat(values(ourListener)).isEqualTo(values(theirListener));
        }
    }

    private static Map<String, String> values(NetworkChannel channel) {
        var values = new TreeMap<String, String>();
        for (SocketOption<?> option : channel.supportedOptions()) {
            values.put(option.name(), get(channel, option)); // perhaps its failure
        }
        return values;
    }

    /** What the options that a channel has answer before and after each value is set. */
    private static List<String> answers(NetworkChannel channel) {
        var options = new TreeMap<String, SocketOption<?>>();
        channel.supportedOptions().forEach(option -> options.put(option.name(), option));
        var answers = new ArrayList<String>();
        for (SocketOption<?> option : options.values()) {
            answers.add(option.name() + " is " + get(channel, option));
            for (Object value : VALUES.getOrDefault(option.type(), List.of())) {
                String set = set(channel, option, value);
                answers.add(option.name() + " " + value + ": " + set + " " + get(channel, option));
            }
        }
        return answers;
    }

    private static final Map<Class<?>, List<?>> VALUES =
            Map.of(
                    Boolean.class,
                    List.of(true, false),
                    Integer.class,
                    List.of(1, 77, 0x10, 20_000, 0, -1, -2, 100_000_000));

    private static String get(NetworkChannel channel, SocketOption<?> option) {
        try {
            return String.valueOf(channel.getOption(option));
        } catch (Exception e) {
            return e.toString();
        }
    }

    @SuppressWarnings("unchecked")
    private static String set(NetworkChannel channel, SocketOption<?> option, Object value) {
        try {
            channel.setOption((SocketOption<Object>) option, value);
            return "set";
        } catch (Exception e) {
            return e.toString();
        }
    }

    @ParameterizedTest
    @EnumSource(StandardProtocolFamily.class)
    void shouldAnswerAsTheJdkDoesToEveryValueOfEveryOption(StandardProtocolFamily family)
            throws Exception {
        try (var ours = Provider.OURS.pair(family);
                var theirs = Provider.JDK.pair(family)) {
            assertThat(answers(ours.client())).isEqualTo(answers(theirs.client()));
            assertThat(answers(ours.server())).isEqualTo(answers(theirs.server()));
            if (family == StandardProtocolFamily.UNIX) {
                assertThat(ours.client().getOption(ExtendedSocketOptions.SO_PEERCRED))
                        .isEqualTo(theirs.client().getOption(ExtendedSocketOptions.SO_PEERCRED));
            } else {
                assertThat(ours.client().supportedOptions())
                        .contains(
                                ExtendedSocketOptions.TCP_KEEPIDLE,
                                ExtendedSocketOptions.TCP_KEEPINTERVAL,
                                ExtendedSocketOptions.TCP_KEEPCOUNT,
                                ExtendedSocketOptions.TCP_QUICKACK,
                                ExtendedSocketOptions.SO_INCOMING_NAPI_ID);
            }
        }
        try (ServerSocketChannel ours = Provider.OURS.get().openServerSocketChannel(family);
                ServerSocketChannel theirs = Provider.JDK.get().openServerSocketChannel(family)) {
            assertThat(answers(ours)).isEqualTo(answers(theirs));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepWhatIsSet(Provider provider) throws Exception {
        try (var pair = provider.pair();
                ServerSocketChannel listener = provider.get().openServerSocketChannel()) {
            SocketChannel channel = pair.client();
            assertThat(channel.setOption(StandardSocketOptions.TCP_NODELAY, true))
                    .isSameAs(channel);
            assertKept(channel, StandardSocketOptions.TCP_NODELAY, true);
            assertKept(channel, StandardSocketOptions.TCP_NODELAY, false);
            assertKept(channel, StandardSocketOptions.SO_KEEPALIVE, true);
            assertKept(channel, StandardSocketOptions.SO_REUSEADDR, true);
            assertKept(channel, StandardSocketOptions.SO_REUSEPORT, true);
            assertKept(channel, StandardSocketOptions.SO_LINGER, 7);
            assertKept(channel, StandardSocketOptions.SO_LINGER, -1);
            assertKept(channel, StandardSocketOptions.IP_TOS, 0x10);
            assertKept(channel, ExtendedSocketOptions.TCP_KEEPIDLE, 77);
            assertKept(channel, ExtendedSocketOptions.TCP_QUICKACK, false);
            assertKept(listener, StandardSocketOptions.SO_REUSEADDR, false);
            channel.setOption(StandardSocketOptions.SO_SNDBUF, 50_000);
            assertThat(channel.getOption(StandardSocketOptions.SO_SNDBUF))
                    .isGreaterThanOrEqualTo(50_000);
        }
    }

    private static <T> void assertKept(NetworkChannel channel, SocketOption<T> option, T value)
            throws Exception {
        channel.setOption(option, value);
        assertThat(channel.getOption(option)).as(option.name()).isEqualTo(value);
    }

    @ParameterizedTest
    @EnumSource
    void shouldRejectWhatCannotBeSet(Provider provider) throws Exception {
        try (SocketChannel channel = provider.socket()) {
            assertThatThrownBy(() -> channel.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 1))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessage("'IP_MULTICAST_TTL' not supported");
            assertThatThrownBy(() -> channel.getOption(StandardSocketOptions.IP_MULTICAST_TTL))
                    .isInstanceOf(UnsupportedOperationException.class);
            assertThatThrownBy(() -> channel.setOption(StandardSocketOptions.SO_SNDBUF, -1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Invalid send/receive buffer size");
            assertThatThrownBy(() -> channel.setOption(StandardSocketOptions.SO_SNDBUF, null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Invalid value 'null'");
            assertThatThrownBy(() -> channel.setOption(null, 1))
                    .isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> channel.getOption(null))
                    .isInstanceOf(NullPointerException.class);
        }
    }
}
