package io.loomuring.dns;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The three configuration files, read again when they have changed. No thread watches them: a
 * look-up looks, if the last look was a while ago.
 */
final class SettingsFiles {
    /** How the settings follow from the files' texts, each null where there is no file. */
    interface Reader {
        Settings read(String resolv, String hosts, String nsSwitch, Settings previous)
                throws IOException;
    }

    /** A change is seen within this time and a look-up. */
    static final Duration LOOK_EVERY = Duration.ofMillis(250);

    private final List<Path> paths;
    private final boolean reload;
    private final Reader reader;
    private final Counters counters;
    private final AtomicLong lastLook;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile Settings settings;
    private List<Object> stamps; // guarded by lock

    /** Reads them for the first time. */
    SettingsFiles(
            Path resolvConf,
            Path hosts,
            Path nsSwitch,
            boolean reload,
            Reader reader,
            Counters counters)
            throws IOException {
        this.paths = List.of(resolvConf, hosts, nsSwitch);
        this.reload = reload;
        this.reader = reader;
        this.counters = counters;
        this.stamps = stamps();
        this.settings = read(null);
        this.lastLook = new AtomicLong(System.nanoTime());
    }

    Settings current() {
        if (reload) {
            long now = System.nanoTime();
            long last = lastLook.get();
            if (now - last >= LOOK_EVERY.toNanos() && lastLook.compareAndSet(last, now)) {
                look();
            }
        }
        return settings;
    }

    private void look() {
        if (settings.resolv().noReload() || !lock.tryLock()) {
            return;
        }
        try {
            List<Object> now = stamps();
            if (!now.equals(stamps)) {
                // stamped before it is read: a change in between is seen next time
                stamps = now;
                settings = read(settings);
                counters.reloads.increment();
            }
        } catch (IOException e) {
            // what was read last stays in force, and the next look tries again
            stamps = List.of();
        } finally {
            lock.unlock();
        }
    }

    private List<Object> stamps() {
        return paths.stream().map(ConfigFile::stamp).toList();
    }

    private Settings read(Settings previous) throws IOException {
        return reader.read(
                ConfigFile.read(paths.get(0)),
                ConfigFile.read(paths.get(1)),
                ConfigFile.read(paths.get(2)),
                previous);
    }
}
