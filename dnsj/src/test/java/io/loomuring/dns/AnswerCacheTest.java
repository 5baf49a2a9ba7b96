package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.dns.LookupException.Reason;

import org.junit.jupiter.api.Test;
import org.xbill.DNS.Type;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

class AnswerCacheTest {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000_000_000L); // it wraps
    private final Counters counters = new Counters();

    private AnswerCache cache(int entries, long min, long max, long negativeMax, long stale) {
        return new AnswerCache(
                new AnswerCache.Limits(
                        entries,
                        Duration.ofSeconds(min),
                        Duration.ofSeconds(max),
                        Duration.ofSeconds(negativeMax),
                        Duration.ofSeconds(stale)),
                now::get,
                counters);
    }

    private AnswerCache cache(int entries) {
        return cache(entries, 0, 1000, 1000, 0);
    }

    private void pass(long seconds) {
        now.addAndGet(Duration.ofSeconds(seconds).toNanos());
    }

    private static Question question(String name) {
        return new Question(ScriptedServer.name(name), Type.A);
    }

    private static Answer answer(long ttl) {
        return new Answer(
                null, List.of(ScriptedServer.record("a.test. " + ttl + " A 10.0.0.1")), ttl, "");
    }

    private static Answer negative(long ttl) {
        return new Answer(Reason.NO_SUCH_NAME, List.of(), ttl, "");
    }

    @Test
    void shouldKeepAnswersForTheirTime() {
        AnswerCache cache = cache(10);
        cache.put(question("a.test"), answer(5));
        pass(4);
        assertThat(cache.fresh(question("A.Test"))).isNotNull();
        pass(1);
        assertThat(cache.fresh(question("a.test"))).isNull();
    }

    @Test
    void shouldTellTypesApart() {
        AnswerCache cache = cache(10);
        cache.put(question("a.test"), answer(5));
        assertThat(cache.fresh(new Question(ScriptedServer.name("a.test"), Type.AAAA))).isNull();
    }

    @Test
    void shouldNeverKeepZeroTtlsAndFailures() {
        AnswerCache cache = cache(10, 60, 1000, 1000, 100);
        cache.put(question("a.test"), answer(0));
        cache.put(question("b.test"), Answer.failed(Reason.SERVER_FAILURE, ""));
        cache.put(question("c.test"), Answer.failed(Reason.TIMEOUT, ""));
        cache.put(question("d.test"), negative(0));
        assertThat(cache.size()).isZero();
    }

    @Test
    void shouldBoundTtls() {
        AnswerCache cache = cache(10, 10, 20, 15, 0);
        cache.put(question("low.test"), answer(1));
        cache.put(question("high.test"), answer(99));
        cache.put(question("negative.test"), negative(99));
        pass(9);
        assertThat(cache.fresh(question("low.test"))).isNotNull();
        pass(5);
        assertThat(cache.fresh(question("low.test"))).isNull();
        assertThat(cache.fresh(question("negative.test"))).isNotNull();
        pass(5);
        assertThat(cache.fresh(question("negative.test"))).isNull();
        assertThat(cache.fresh(question("high.test"))).isNotNull();
        pass(1);
        assertThat(cache.fresh(question("high.test"))).isNull();
    }

    @Test
    void shouldStayWithinItsSizeAndKeepWhatIsUsed() {
        AnswerCache cache = cache(100);
        cache.put(question("used.test"), answer(900));
        for (int i = 0; i < 1000; i++) {
            assertThat(cache.fresh(question("used.test"))).isNotNull();
            cache.put(question("n" + i + ".test"), answer(900));
            assertThat(cache.size()).isLessThanOrEqualTo(100);
        }
        assertThat(counters.evictions.sum()).isEqualTo(901);
    }

    @Test
    void shouldStayWithinItsSizeWhenOneNameIsReplacedAgainAndAgain() {
        AnswerCache cache = cache(4);
        for (int i = 0; i < 100; i++) {
            cache.put(question("a.test"), answer(5));
            cache.fresh(question("a.test"));
        }
        assertThat(cache.size()).isEqualTo(1);
    }

    @Test
    void shouldKeepNothingWhenItsSizeIsZero() {
        AnswerCache cache = cache(0);
        cache.put(question("a.test"), answer(5));
        assertThat(cache.fresh(question("a.test"))).isNull();
    }

    @Test
    void shouldGiveStaleAnswersWithinTheirBound() {
        AnswerCache cache = cache(10, 0, 1000, 1000, 60);
        cache.put(question("a.test"), answer(5));
        cache.put(question("b.test"), negative(5));
        pass(64);
        assertThat(cache.fresh(question("a.test"))).isNull();
        assertThat(cache.stale(question("a.test"))).isNotNull();
        assertThat(cache.stale(question("b.test"))).isNull();
        pass(1);
        assertThat(cache.stale(question("a.test"))).isNull();
    }
}
