package io.loomuring.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.dns.LookupException.Reason;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** How long there is no such name: RFC 2308, section 5. */
class AnswerTest {
    private static final Question QUESTION = new Question(ScriptedServer.name("a.test"), Type.A);

    private static Message negative(int rcode) {
        var message = new Message();
        message.getHeader().setFlag(Flags.QR);
        message.getHeader().setFlag(Flags.AA);
        message.getHeader().setRcode(rcode);
        return message;
    }

    private static long ttl(Message message, Reason reason) {
        Answer answer = Answer.of(QUESTION, message, "test");
        assertThat(answer.reason()).isEqualTo(reason);
        return answer.ttlSeconds();
    }

    @ParameterizedTest
    @CsvSource({
        "60, 30, 30", // the SOA's minimum
        "20, 30, 20", // its own TTL
        "60, 0, 0",
        "0, 60, 0",
    })
    void shouldKeepItAsLongAsTheZonesSoaSays(long soaTtl, long minimum, long expected) {
        String soa = "test. " + soaTtl + " SOA ns.test. admin.test. 1 3600 600 86400 " + minimum;
        for (int rcode : new int[] {Rcode.NXDOMAIN, Rcode.NOERROR}) {
            Message message = negative(rcode);
            ScriptedServer.add(message, Section.AUTHORITY, soa);
            assertThat(
                            ttl(
                                    message,
                                    rcode == Rcode.NXDOMAIN
                                            ? Reason.NO_SUCH_NAME
                                            : Reason.NO_RECORD))
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"5, 5", "600, 30"})
    void shouldKeepItNoLongerThanTheAliasThatLeadsThere(long aliasTtl, long expected) {
        Message message = negative(Rcode.NXDOMAIN);
        ScriptedServer.add(message, Section.ANSWER, "a.test. " + aliasTtl + " CNAME b.test.");
        ScriptedServer.add(message, Section.AUTHORITY, ScriptedServer.SOA);
        assertThat(ttl(message, Reason.NO_SUCH_NAME)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"evil.", "b.test."})
    void shouldNotBelieveTheSoaOfAnotherZone(String zone) {
        Message message = negative(Rcode.NXDOMAIN);
        ScriptedServer.add(
                message,
                Section.AUTHORITY,
                zone + " 86400 SOA ns.test. admin.test. 1 3600 600 86400 86400");
        assertThat(ttl(message, Reason.NO_SUCH_NAME)).isZero();
    }
}
