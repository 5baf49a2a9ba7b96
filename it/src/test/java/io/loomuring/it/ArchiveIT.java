package io.loomuring.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.program.SwitchProbe;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Class data archives and AOT caches: one run writes it, another one uses it. */
class ArchiveIT {
    private static final String ARCHIVED = "source: shared objects file";

    @TempDir private Path folder;
    private String probe;
    private String archive;
    private Path log;

    @BeforeEach
    void choose() {
        probe = Jars.of(folder.resolve("probe.jar"), SwitchProbe.class);
        archive = folder.resolve("archive").toString();
        log = folder.resolve("classes.log");
    }

    private String logClasses() {
        return "-Xlog:class+load:file=" + log;
    }

    /** By the provider's property. */
    private Child byProvider(String... options) {
        return Child.programOn(
                List.of(Child.jar(), probe), Child.provider(options), SwitchProbe.class);
    }

    private Child byAgent(String... options) {
        return Child.programOn(List.of(probe), Child.agent(options), SwitchProbe.class);
    }

    /** The run that writes it: what the JVM says about that is not the matter here. */
    private void write(Child run) {
        try (run) {
            Switched.endOf(run).checkCarried();
            assertThat(Path.of(archive)).as("%s", run).exists();
        }
    }

    private void use(Child run) {
        try (run) {
            Switched.endOf(run).checkCarried();
        }
    }

    private void expectArchived(String className) throws IOException {
        assertThat(Files.readAllLines(log))
                .as("classes of the archive")
                .anyMatch(line -> line.contains(" " + className + " ") && line.contains(ARCHIVED));
    }

    /** The options that write it, that use it, and that refuse to go on without. */
    @ParameterizedTest
    @CsvSource({
        "-XX:ArchiveClassesAtExit, -XX:SharedArchiveFile, -Xshare:on",
        "-XX:AOTCacheOutput, -XX:AOTCache, -XX:AOTMode=on",
    })
    void anArchiveHoldsOurClasses(String writing, String using, String insisting)
            throws IOException {
        write(byProvider(writing + "=" + archive));
        use(byProvider(using + "=" + archive, insisting, logClasses()));
        expectArchived("io.loomuring.carrier.CarrierGroup");
    }

    @Test
    void aDynamicArchiveThatTheJvmKeepsByItselfHoldsOurClasses() throws IOException {
        String[] options = {
            "-XX:+AutoCreateSharedArchive", "-XX:SharedArchiveFile=" + archive, logClasses()
        };
        write(byProvider(options));
        use(byProvider(options));
        expectArchived("io.loomuring.carrier.CarrierGroup");
    }

    @Test
    void anArchiveOfTheProgramAloneServesItUnderTheAgent() throws IOException {
        try (Child run =
                Child.programOn(
                        List.of(probe),
                        List.of("-XX:ArchiveClassesAtExit=" + archive),
                        SwitchProbe.class)) {
            Switched.endOf(run).checkAllTheJdks();
        }
        use(byAgent("-XX:SharedArchiveFile=" + archive, logClasses()));
        expectArchived(SwitchProbe.class.getName());
    }

    @Test
    void anAotCacheServesTheProgramUnderTheAgent() throws IOException {
        write(byAgent("-XX:AOTCacheOutput=" + archive));
        use(byAgent("-XX:AOTCache=" + archive, "-XX:AOTMode=on", logClasses()));
        expectArchived(SwitchProbe.class.getName());
    }
}
