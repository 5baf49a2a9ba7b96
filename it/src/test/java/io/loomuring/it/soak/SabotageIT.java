package io.loomuring.it.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.it.Jars;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

/** A soak notices what it is for. */
class SabotageIT {
    private static final double MINUTES = 0.25;
    private static final int COMPLETIONS_BEFORE = 20_000; // more than a start needs

    @TempDir private Path folder;

    @Test
    void shouldNoticeDescriptorsThatNobodyCloses() throws Exception {
        List<String> findings = Soak.findings(MINUTES, folder, List.of("-Dsabotage=descriptors"));
        assertThat(findings)
                .anyMatch(finding -> finding.matches("workload's descriptors are flat.*"))
                .anyMatch(finding ->
                        finding.matches(
                                "nothing .*still held, but: .*workload holds .descriptors.*"));
    }

    @Test
    void shouldNoticeACompletionThatIsDropped() throws Exception {
        String agent = Jars.agent(folder.resolve("dropping.jar"), DroppingAgent.class);
        List<String> findings =
                Soak.findings(
                        2 * MINUTES,
                        folder,
                        List.of("-javaagent:" + agent + "=" + COMPLETIONS_BEFORE));
        // which one it is varies: that its thread hangs, or what it holds, if nobody waits for it
        assertThat(findings)
                .anyMatch(finding ->
                        finding.matches(
                                "nothing .*but: .*( hangs: |workload holds .*slots=[1-9]).*"));
    }
}
