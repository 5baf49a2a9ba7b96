package io.loomuring.tls;

import io.loomuring.tls.KeyCapture.Direction;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * How many directions of connections the kernel has taken in this network namespace, by its own
 * software and by network devices: {@code /proc/net/tls_stat} of Linux' networking/tls.rst.
 *
 * <p>Of a single connection the kernel tells nobody without CAP_NET_ADMIN who does it. But one that
 * was taken between two readings was taken by a device if the count of software stood still, and
 * the other way round.
 */
final class TlsStat {
    private static final Path FILE = Path.of("/proc/net/tls_stat");

    private final Map<Direction, Long> software = new EnumMap<>(Direction.class);
    private final Map<Direction, Long> device = new EnumMap<>(Direction.class);

    /** Of the file's lines: a name and a number each. */
    static TlsStat of(List<String> lines) {
        var stat = new TlsStat();
        for (String line : lines) {
            String[] parts = line.strip().split("\\s+", -1);
            if (parts.length != 2) {
                continue;
            }
            switch (parts[0]) {
                case "TlsTxSw" -> stat.software.put(Direction.SEND, Long.parseLong(parts[1]));
                case "TlsRxSw" -> stat.software.put(Direction.RECEIVE, Long.parseLong(parts[1]));
                case "TlsTxDevice" -> stat.device.put(Direction.SEND, Long.parseLong(parts[1]));
                case "TlsRxDevice" -> stat.device.put(Direction.RECEIVE, Long.parseLong(parts[1]));
                default -> {} // connections of now, and errors
            }
        }
        return stat;
    }

    /** As it is now; knows nothing where the file can't be read. */
    static TlsStat read() {
        try {
            return of(Files.readAllLines(FILE));
        } catch (IOException | SecurityException | NumberFormatException e) {
            return new TlsStat();
        }
    }

    /** Who does a direction that was taken since this was read and before the other was. */
    OffloadOutcome taker(Direction direction, TlsStat after) {
        boolean bySoftware = moved(software, after.software, direction);
        boolean byDevice = moved(device, after.device, direction);
        if (bySoftware == byDevice) {
            return OffloadOutcome.OFFLOADED_SOMEWHERE; // others were taken at the same time
        }
        return byDevice ? OffloadOutcome.OFFLOADED_TO_DEVICE : OffloadOutcome.OFFLOADED;
    }

    private static boolean moved(
            Map<Direction, Long> before, Map<Direction, Long> after, Direction direction) {
        Long then = before.get(direction);
        return then != null && !then.equals(after.get(direction));
    }
}
