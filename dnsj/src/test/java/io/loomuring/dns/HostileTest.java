package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.loomuring.dns.LookupException.Reason;
import io.loomuring.dns.ScriptedServer.Asked;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** What a bad server, or somebody who isn't the server, can send. */
class HostileTest {
    private static final int HEADER = 12;
    private static final String RIGHT = "10.0.0.1";

    @TempDir Path folder;
    private ScriptedServer server;
    private Fixture files;

    @BeforeEach
    void start() {
        server = new ScriptedServer(asked -> List.of(right(asked)));
        files = new Fixture(folder, "nameserver 127.0.0.1\noptions timeout:5\n");
    }

    @AfterEach
    void end() {
        server.close();
    }

    private static Message right(Asked asked) {
        return asked.with(asked.name() + " 60 A " + RIGHT);
    }

    private static String address(Dnsj dns, String name) throws LookupException {
        return dns.lookup(name, Type.A).getFirst().rdataToString();
    }

    private static LookupException failure(Dnsj dns, String name) {
        return catchThrowableOfType(LookupException.class, () -> dns.lookup(name, Type.A));
    }

    // ---- not an answer to what was asked: as if it had not come ----

    /** What a message can have wrong before its first record. */
    enum Foreign {
        SHORT {
            @Override
            byte[] of(Asked asked) {
                return new byte[] {asked.query().toWire()[0], asked.query().toWire()[1]};
            }
        },
        EMPTY {
            @Override
            byte[] of(Asked asked) {
                return new byte[0];
            }
        },
        WRONG_ID {
            @Override
            byte[] of(Asked asked) {
                Message answer = forged(asked);
                answer.getHeader().setID(asked.query().getHeader().getID() ^ 1);
                return answer.toWire();
            }
        },
        A_QUERY {
            @Override
            byte[] of(Asked asked) {
                Message answer = forged(asked);
                answer.getHeader().unsetFlag(Flags.QR);
                return answer.toWire();
            }
        },
        WRONG_OPCODE {
            @Override
            byte[] of(Asked asked) {
                Message answer = forged(asked);
                answer.getHeader().setOpcode(Opcode.NOTIFY);
                return answer.toWire();
            }
        },
        WRONG_NAME {
            @Override
            byte[] of(Asked asked) {
                return otherQuestion(asked, "other.test", Type.A, DClass.IN);
            }
        },
        WRONG_TYPE {
            @Override
            byte[] of(Asked asked) {
                return otherQuestion(asked, asked.name().toString(), Type.AAAA, DClass.IN);
            }
        },
        WRONG_CLASS {
            @Override
            byte[] of(Asked asked) {
                return otherQuestion(asked, asked.name().toString(), Type.A, DClass.CH);
            }
        },
        NO_QUESTION {
            @Override
            byte[] of(Asked asked) {
                Message answer = forged(asked);
                answer.removeAllRecords(Section.QUESTION);
                return answer.toWire();
            }
        },
        TWO_QUESTIONS {
            @Override
            byte[] of(Asked asked) {
                Message answer = forged(asked);
                answer.addRecord(asked.query().getQuestion(), Section.QUESTION);
                return answer.toWire();
            }
        };

        abstract byte[] of(Asked asked);

        static Message forged(Asked asked) {
            return asked.with(asked.name() + " 60 A 6.6.6.6");
        }

        private static byte[] otherQuestion(Asked asked, String name, int type, int dclass) {
            Message answer = forged(asked);
            answer.removeAllRecords(Section.QUESTION);
            answer.addRecord(
                    Record.newRecord(ScriptedServer.name(name), type, dclass), Section.QUESTION);
            return answer.toWire();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldGoOnWaitingWhenItAnswersSomethingElse(Foreign foreign) throws Exception {
        server.script(asked -> List.of(foreign.of(asked), right(asked)));
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(address(dns, "host.test")).isEqualTo(RIGHT);
            assertThat(dns.statistics().rejected()).isEqualTo(1);
            assertThat(dns.statistics().queries()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndInTimeWhenNothingElseComes(Foreign foreign) {
        server.script(asked -> {
            var flood = new ArrayList<byte[]>();
            for (int i = 0; i < 50; i++) {
                flood.add(foreign.of(asked));
            }
            return flood;
        });
        try (Dnsj dns = files.builder(server).timeout(Duration.ofMillis(50)).build()) {
            assertThat(failure(dns, "host.test").reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(dns.statistics().cached()).isZero();
        }
    }

    @Test
    void shouldHearTheServerAlone() throws Exception {
        try (var stranger = new DatagramSocket();
                Dnsj dns = files.builder(server).build()) {
            server.script(asked -> {
                byte[] forged = Foreign.forged(asked).toWire();
                stranger.send(new DatagramPacket(forged, forged.length, asked.from()));
                return List.of(right(asked));
            });
            assertThat(address(dns, "host.test")).isEqualTo(RIGHT);
            assertThat(dns.statistics().rejected()).isZero();
        }
    }

    // ---- an answer that can't be used: the next server's turn ----

    /** What an answer can have wrong. */
    enum Broken {
        GARBAGE {
            @Override
            byte[] of(Asked asked) {
                byte[] bytes = withCounts(asked, 3);
                byte[] garbage = Arrays.copyOf(bytes, bytes.length + 40);
                Arrays.fill(garbage, bytes.length, garbage.length, (byte) 0xee);
                return garbage;
            }
        },
        CUT_OFF {
            @Override
            byte[] of(Asked asked) {
                byte[] bytes = Foreign.forged(asked).toWire();
                return Arrays.copyOf(bytes, bytes.length - 3);
            }
        },
        TOO_MANY_RECORDS_PROMISED {
            @Override
            byte[] of(Asked asked) {
                return withCounts(asked, 0xffff);
            }
        },
        POINTER_TO_ITSELF {
            @Override
            byte[] of(Asked asked) {
                byte[] bytes = withCounts(asked, 1);
                int at = bytes.length;
                byte[] looping = Arrays.copyOf(bytes, at + 20);
                looping[at] = (byte) (0xc0 | at >> 8);
                looping[at + 1] = (byte) at;
                return looping;
            }
        },
        POINTER_FORWARD {
            @Override
            byte[] of(Asked asked) {
                byte[] bytes = withCounts(asked, 1);
                byte[] looping = Arrays.copyOf(bytes, bytes.length + 20);
                looping[bytes.length] = (byte) 0xc0;
                looping[bytes.length + 1] = (byte) 0xff;
                return looping;
            }
        },
        WRONG_LENGTH_OF_DATA {
            @Override
            byte[] of(Asked asked) {
                byte[] bytes = Foreign.forged(asked).toWire();
                bytes[bytes.length - 5] = (byte) 200;
                return bytes;
            }
        },
        LONGER_THAN_THE_BUFFER {
            @Override
            byte[] of(Asked asked) {
                Message answer = asked.empty();
                for (int i = 0; i < 400; i++) {
                    ScriptedServer.add(
                            answer,
                            Section.ANSWER,
                            asked.name() + " 60 A 6.6." + i / 250 + '.' + i % 250);
                }
                return answer.toWire();
            }
        },
        ALIAS_OF_ITSELF {
            @Override
            byte[] of(Asked asked) {
                return asked.with(asked.name() + " 60 CNAME " + asked.name()).toWire();
            }
        },
        ALIASES_IN_A_RING {
            @Override
            byte[] of(Asked asked) {
                return asked.with(
                                asked.name() + " 60 CNAME a.test.",
                                "a.test. 60 CNAME b.test.",
                                "b.test. 60 CNAME a.test.")
                        .toWire();
            }
        },
        ALIASES_WITHOUT_END {
            @Override
            byte[] of(Asked asked) {
                var chain = new ArrayList<String>();
                chain.add(asked.name() + " 60 CNAME c0.test.");
                for (int i = 0; i < 100; i++) {
                    chain.add("c" + i + ".test. 60 CNAME c" + (i + 1) + ".test.");
                }
                chain.add("c100.test. 60 A 6.6.6.6");
                return asked.with(chain.toArray(new String[0])).toWire();
            }
        },
        ALIAS_FOR_NO_HOST {
            @Override
            byte[] of(Asked asked) {
                return asked.with(
                                asked.name() + " 60 CNAME a\\032b.test.",
                                "a\\032b.test. 60 A 6.6.6.6")
                        .toWire();
            }
        };

        abstract byte[] of(Asked asked);

        /** Header and question, the header promising records. */
        private static byte[] withCounts(Asked asked, int answers) {
            Message answer = asked.empty();
            byte[] bytes = answer.toWire();
            bytes[6] = (byte) (answers >> 8);
            bytes[7] = (byte) answers;
            return bytes;
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseAnswersThatAreBroken(Broken broken) {
        server.script(asked -> List.of(broken.of(asked)));
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(failure(dns, "host.test").reason()).isEqualTo(Reason.BAD_ANSWER);
            assertThat(dns.statistics().cached()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldAskTheNextServerWhenAnswerIsBroken(Broken broken) throws Exception {
        try (var bad = new ScriptedServer(asked -> List.of(broken.of(asked)));
                Dnsj dns =
                        files.builder(server)
                                .server(bad.address())
                                .server(server.address())
                                .build()) {
            assertThat(address(dns, "host.test")).isEqualTo(RIGHT);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseBrokenAnswersByTcp(Broken broken) throws Exception {
        server.script(asked -> List.of(broken.of(asked)));
        try (Dnsj dns = files.builder(server).useTcp(true).build()) {
            if (broken == Broken.LONGER_THAN_THE_BUFFER) {
                assertThat(dns.lookup("host.test", Type.A)).hasSize(400);
            } else {
                assertThat(failure(dns, "host.test").reason()).isEqualTo(Reason.BAD_ANSWER);
            }
        }
    }

    @Test
    void shouldEndInTimeWhenTcpStopsInTheMiddle() {
        server.script(asked -> {
            Message truncated = asked.empty();
            truncated.getHeader().setFlag(Flags.TC);
            return asked.tcp() ? List.of() : List.of(truncated);
        });
        try (Dnsj dns = files.builder(server).timeout(Duration.ofMillis(100)).build()) {
            assertThat(failure(dns, "host.test").reason()).isEqualTo(Reason.TIMEOUT);
        }
    }

    // ---- what comes along is not believed ----

    @Test
    void shouldNotBelieveRecordsThatNobodyAskedFor() throws Exception {
        server.script(asked -> {
            Message answer = right(asked);
            for (int section : new int[] {Section.ANSWER, Section.ADDITIONAL}) {
                ScriptedServer.add(answer, section, "victim.test. 60 A 6.6.6.6");
            }
            return List.of(answer);
        });
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(dns.lookup("host.test", Type.A)).hasSize(1);
            assertThat(dns.statistics().cached()).isEqualTo(1);
            server.script(asked -> List.of(right(asked)));
            assertThat(address(dns, "victim.test")).isEqualTo(RIGHT);
        }
    }

    @Test
    void shouldFindNothingWhenRecordsAreOfAnotherName() {
        server.script(asked -> List.of(asked.with("other.test. 60 A 6.6.6.6")));
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(failure(dns, "host.test").reason()).isEqualTo(Reason.NO_RECORD);
            assertThat(dns.statistics().cached()).isZero(); // no SOA says for how long
        }
    }

    @Test
    void shouldNotBelieveTheSoaOfAnotherZone() {
        server.script(asked -> {
            Message answer = asked.rcode(Rcode.NXDOMAIN);
            answer.removeAllRecords(Section.AUTHORITY);
            ScriptedServer.add(
                    answer, Section.AUTHORITY, "evil. 86400 SOA ns.evil. a.evil. 1 1 1 1 86400");
            return List.of(answer);
        });
        try (Dnsj dns = files.builder(server).build()) {
            assertThat(failure(dns, "host.test").reason()).isEqualTo(Reason.NO_SUCH_NAME);
            assertThat(dns.statistics().cached()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0x8000_0000, 0xffff_ffff})
    void shouldAskAgainWhenTtlIsZeroOrNegative(int ttl) throws Exception {
        server.script(asked -> {
            ByteBuffer answer = ByteBuffer.wrap(right(asked).toWire());
            answer.putInt(answer.limit() - 4 - 2 - 4, ttl); // before length and address
            return List.of(answer.array());
        });
        try (Dnsj dns =
                files.builder(server).ttl(Duration.ofHours(1), Duration.ofHours(2)).build()) {
            assertThat(address(dns, "host.test")).isEqualTo(RIGHT);
            assertThat(address(dns, "host.test")).isEqualTo(RIGHT);
            assertThat(server.asked).hasSize(2);
        }
    }

    // ---- anything at all ----

    @Test
    void shouldEndWithAnswerOrReasonWhateverComes() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        int rounds = 3_000;
        server.script(asked -> {
            synchronized (random) {
                return List.of(mutated(random, asked), right(asked));
            }
        });
        try (Dnsj dns = files.builder(server).attempts(1).cacheSize(50).build();
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var results = new ArrayList<Future<?>>();
            for (int i = 0; i < rounds; i++) {
                String name = "n" + i + ".test";
                results.add(
                        threads.submit(() -> {
                            try {
                                dns.lookup(name, Type.A);
                            } catch (LookupException e) {
                                // one way to end
                            }
                        }));
                if (i % 100 == 99) {
                    for (Future<?> result : results) {
                        result.get();
                    }
                }
            }
            server.script(asked -> List.of(right(asked)));
            assertThat(address(dns, "after.test")).as("seed %d", seed).isEqualTo(RIGHT);
            assertThat(dns.statistics().cached()).isLessThanOrEqualTo(50);
        } catch (Exception e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    /** A real answer, some bytes of it changed, cut or repeated. */
    private static byte[] mutated(Random random, Asked asked) throws IOException {
        Message answer =
                asked.with(
                        asked.name() + " 60 CNAME a.test.",
                        "a.test. 60 A 10.0.0.2",
                        "a.test. 60 A 10.0.0.3");
        ScriptedServer.add(answer, Section.AUTHORITY, ScriptedServer.SOA);
        byte[] bytes = answer.toWire();
        int from = random.nextBoolean() ? 0 : HEADER;
        for (int changes = 1 + random.nextInt(8); changes > 0; changes--) {
            bytes[from + random.nextInt(bytes.length - from)] = (byte) random.nextInt(256);
        }
        var out = new ByteArrayOutputStream();
        out.write(bytes, 0, random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length);
        if (random.nextInt(4) == 0) {
            out.write(bytes, 0, random.nextInt(bytes.length));
        }
        return out.toByteArray();
    }

    @Test
    void shouldReadAnyMessageWithoutMoreThanAnException() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var query =
                Message.newQuery(
                        Record.newRecord(ScriptedServer.name("x.test"), Type.A, DClass.IN));
        var asked = new Asked(query, false, null);
        var question = new Question(ScriptedServer.name("x.test"), Type.A);
        int read = 0;
        for (int i = 0; i < 20_000; i++) {
            try {
                byte[] bytes = mutated(random, asked);
                AnswerCheck.answers(bytes, query.toWire(), false);
                Answer.of(question, new Message(bytes), "");
                read++;
            } catch (IOException | RuntimeException e) {
                // Exchange makes a reason of it; an Error or a hang fails this test
            }
        }
        assertThat(read).as("seed %d", seed).isPositive();
    }

    // ---- a bad network ----

    @Test
    void shouldBeRightWhenPacketsAreLostAndTheFirstServerIsDead() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        int attempts = 5;
        var lost = new ConcurrentHashMap<String, Integer>();
        server.script(asked -> {
            String key = asked.name() + "/" + asked.type();
            synchronized (random) {
                // 30 %, but not all attempts: the right answer must be possible
                if (random.nextInt(10) < 3 && lost.merge(key, 1, Integer::sum) < attempts) {
                    return List.of();
                }
            }
            return List.of(
                    asked.withMatching(
                            asked.name() + " 60 A " + RIGHT, asked.name() + " 60 AAAA fd00::1"));
        });
        Duration timeout = Duration.ofMillis(250);
        Duration longest = timeout.multipliedBy(2L * attempts).plusMillis(1500); // a slow machine
        try (var dead = new ScriptedServer(_ -> List.of());
                Dnsj dns =
                        files.builder(server)
                                .server(dead.address())
                                .server(server.address())
                                .timeout(timeout)
                                .attempts(attempts)
                                .build();
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var results = new ArrayList<Future<Long>>();
            for (int i = 0; i < 200; i++) {
                String name = "n" + i + ".test";
                results.add(
                        threads.submit(() -> {
                            long start = System.nanoTime();
                            assertThat(dns.addresses(name)).hasSize(2);
                            return System.nanoTime() - start;
                        }));
            }
            for (Future<Long> result : results) {
                assertThat(result.get()).as("seed %d", seed).isLessThan(longest.toNanos());
            }
            assertThat(lost).isNotEmpty();
            assertThat(dns.statistics().timeouts()).isGreaterThan(400);
        }
    }
}
