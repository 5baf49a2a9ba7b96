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
            String value;
            try {
                value = String.valueOf(channel.getOption(option));
            } catch (Exception e) {
                value = e.toString(); // SO_PEERCRED of a socket that is not connected
            }
            values.put(option.name(), value);
        }
        return values;
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
