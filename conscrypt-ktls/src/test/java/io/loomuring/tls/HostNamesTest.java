package io.loomuring.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;

/** RFC 9525, section 6. */
class HostNamesTest {
    @ParameterizedTest
    @CsvSource({
        "example.org, example.org, true",
        "Example.ORG, eXample.org, true",
        "example.org., example.org, true",
        "example.org, example.org., true",
        "example.org, www.example.org, false",
        "www.example.org, example.org, false",
        "*.example.org, www.example.org, true",
        "*.example.org, WWW.EXAMPLE.ORG., true",
        "*.example.org, example.org, false",
        "*.example.org, .example.org, false",
        "*.example.org, a.b.example.org, false",
        "*.example.org, wwwexample.org, false",
        "*.org, example.org, false", // a whole top level domain
        "*, localhost, false",
        "*., localhost, false",
        "w*.example.org, www.example.org, false", // a part of a label
        "*w.example.org, www.example.org, false",
        "www.*.org, www.example.org, false",
        "*.*.org, www.example.org, false",
        "xn--bcher-kva.example, xn--bcher-kva.example, true",
    })
    void shouldMatchAsTheRfcSays(String pattern, String host, boolean matches) {
        assertThat(HostNames.matches(pattern, host)).isEqualTo(matches);
    }

    private static X509Certificate server() { // DNS localhost, IP 127.0.0.1
        return (X509Certificate) Identities.certificate("server");
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "LOCALHOST.", "127.0.0.1"})
    void shouldTakeTheNamesOfTheCertificate(String host) {
        assertThatCode(() -> HostNames.check(host, server())).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost.example", "127.0.0.2", "[::1]", "::1", "127.0.0.1.example"})
    void shouldRefuseOthers(String host) {
        assertThatThrownBy(() -> HostNames.check(host, server()))
                .isInstanceOf(CertificateException.class)
                .hasMessageContaining("No subject alternative");
    }

    @ParameterizedTest
    @NullAndEmptySource
    void shouldRefuseWhatIsNoName(String host) {
        assertThatThrownBy(() -> HostNames.check(host, server()))
                .isInstanceOf(CertificateException.class);
    }

    /** Its common name is ca, which is no alternative name. */
    @ParameterizedTest
    @ValueSource(strings = "ca")
    void shouldNotLookAtTheCommonName(String host) {
        var ca = (X509Certificate) Identities.certificate("ca");
        assertThat(ca.getSubjectX500Principal().getName()).contains("CN=" + host);
        assertThatThrownBy(() -> HostNames.check(host, ca))
                .isInstanceOf(CertificateException.class);
    }
}
