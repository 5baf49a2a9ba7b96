package io.loomuring.dns;

import static io.loomuring.dns.NsSwitch.Service.DNS;
import static io.loomuring.dns.NsSwitch.Service.FILES;
import static io.loomuring.dns.NsSwitch.Service.MYHOSTNAME;

import static org.assertj.core.api.Assertions.assertThat;

import io.loomuring.dns.NsSwitch.Source;
import io.loomuring.dns.NsSwitch.Status;

import org.junit.jupiter.api.Test;

/** The hosts line of nsswitch.conf(5). */
class NsSwitchTest {
    @Test
    void shouldLookIntoFilesThenDnsWhenNothingIsSaid() {
        assertThat(NsSwitch.parse(null).sources())
                .extracting(Source::service)
                .containsExactly(FILES, DNS);
        assertThat(NsSwitch.parse("passwd: files\n").sources())
                .extracting(Source::service)
                .containsExactly(FILES, DNS);
    }

    @Test
    void shouldKeepOrderAndSkipOtherServicesWithANote() {
        NsSwitch conf =
                NsSwitch.parse(
                        """
                        passwd: x
                         hosts:\tdns mdns4_minimal [NOTFOUND=return] files myhostname
                        """);
        assertThat(conf.sources())
                .extracting(Source::service)
                .containsExactly(DNS, FILES, MYHOSTNAME);
        assertThat(conf.sources().getFirst().returning()).containsExactly(Status.SUCCESS);
        assertThat(conf.notes()).containsExactly("nsswitch.conf: skipped service mdns4_minimal");
    }

    @Test
    void shouldUseTheLastLineAndTakeNumberSignsForWords() {
        NsSwitch conf = NsSwitch.parse("hosts: dns\n#hosts: dns\nhosts: files # dns#\n");
        assertThat(conf.sources()).extracting(Source::service).containsExactly(FILES);
        assertThat(conf.notes()).hasSize(2);
    }

    @Test
    void shouldReadActions() {
        NsSwitch conf =
                NsSwitch.parse(
                        "hosts: files [NOTFOUND=return] dns [!UNAVAIL=return success=continue]\n");
        assertThat(conf.sources().get(0).returning())
                .containsExactlyInAnyOrder(Status.SUCCESS, Status.NOTFOUND);
        assertThat(conf.sources().get(1).returning())
                .containsExactlyInAnyOrder(Status.NOTFOUND, Status.TRYAGAIN);
    }

    @Test
    void shouldNoteActionsThatDontExist() {
        assertThat(NsSwitch.parse("hosts: files [nonsense=return dns=x] dns\n").notes()).hasSize(2);
    }
}
