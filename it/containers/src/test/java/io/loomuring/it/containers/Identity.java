package io.loomuring.it.containers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A certificate for some names, made anew, and trusted by itself: {@code cert.pem} and {@code
 * key.pem} for peers, {@code key.p12} and {@code trust.p12} for JVMs, in one folder.
 */
record Identity(Path folder) {
    private static final String PASSWORD = "changeit";
    private static final String ALIAS = "server";

    static Identity make(Path folder, List<String> names)
            throws IOException, InterruptedException, GeneralSecurityException {
        // peers read it as users of theirs
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path store = folder.resolve("key.p12");
        Process keytool =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "keytool")
                                        .toString(),
                                "-genkeypair",
                                "-alias",
                                ALIAS,
                                "-keyalg",
                                "EC",
                                "-groupname",
                                "secp256r1",
                                "-dname",
                                "CN=loom-uring test",
                                "-ext",
                                names.stream()
                                        .map(name -> "dns:" + name)
                                        .collect(Collectors.joining(",", "san=", "")),
                                "-keystore",
                                store.toString(),
                                "-storepass",
                                PASSWORD)
                        .redirectErrorStream(true)
                        .start();
        String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(output).isZero();

        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        Key key = keys.getKey(ALIAS, PASSWORD.toCharArray());
        write(folder.resolve("key.pem"), "PRIVATE KEY", key.getEncoded());
        byte[] certificate = keys.getCertificate(ALIAS).getEncoded();
        write(folder.resolve("cert.pem"), "CERTIFICATE", certificate);
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        trust.setCertificateEntry(ALIAS, keys.getCertificate(ALIAS));
        try (var out = Files.newOutputStream(folder.resolve("trust.p12"))) {
            trust.store(out, PASSWORD.toCharArray());
        }
        return new Identity(folder);
    }

    private static void write(Path file, String type, byte[] bytes) throws IOException {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        Files.writeString(
                file, "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n".formatted(type, base64));
    }

    /** Bound into a container as {@code /tls}. */
    LocalContainer into(LocalContainer container) {
        return container.bind(folder, "/tls");
    }

    /** Options of a JVM with this identity, whose TLS is that of conscrypt-ktls. */
    static List<String> jvmOptions() {
        return List.of(
                "-Dloomuring.tls=default",
                "-Djavax.net.ssl.keyStore=/tls/key.p12",
                "-Djavax.net.ssl.keyStorePassword=" + PASSWORD,
                "-Djavax.net.ssl.trustStore=/tls/trust.p12",
                "-Djavax.net.ssl.trustStorePassword=" + PASSWORD);
    }
}
