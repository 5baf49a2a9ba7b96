package io.loomuring.tls;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Those that others have written, and which version of them is here. */
enum Peer {
    JSSE("JSSE of the JDK", () -> System.getProperty("java.version")),
    BOUNCY_CASTLE("Bouncy Castle JSSE", () -> jar("org.bouncycastle.jsse.BCSSLSocket")),
    OPENSSL("OpenSSL `s_client`, `s_server`", () -> command("openssl", "version")),
    CURL("curl", () -> command("curl", "--version")),
    NGINX("nginx", () -> command("nginx", "-v")),
    HTTPS_URL_CONNECTION("HttpsURLConnection", () -> System.getProperty("java.version")),
    HTTP_CLIENT("java.net.http.HttpClient", () -> System.getProperty("java.version")),
    OKHTTP("OkHttp", () -> jar("okhttp3.OkHttpClient")),
    PGJDBC(
            "pgjdbc with PostgreSQL",
            () ->
                    jar("org.postgresql.Driver")
                            + ", "
                            + command(PostgresServer.program("postgres"), "--version")),
    JEDIS(
            "Jedis with Redis",
            () -> jar("redis.clients.jedis.Jedis") + ", " + command("redis-server", "--version")),
    TOMCAT("Tomcat", () -> jar("org.apache.catalina.startup.Tomcat")),
    JETTY("Jetty", () -> jar("org.eclipse.jetty.server.Server"));

    private static final String VERSION = "\\d+(\\.\\d+)+";

    final String title;

    @SuppressWarnings("ImmutableEnumChecker") // these suppliers keep nothing
    private final Supplier<String> version;

    Peer(String title, Supplier<String> version) {
        this.title = title;
        this.version = version;
    }

    String version() {
        return version.get();
    }

    /** The version that a jar's name ends with. */
    private static String jar(String className) {
        try {
            Class<?> type = Class.forName(className, false, Peer.class.getClassLoader());
            Path jar = Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath());
            Matcher matcher = Pattern.compile(VERSION).matcher(jar.getFileName().toString());
            return matcher.find() ? matcher.group() : "unknown";
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private static String command(String... command) {
        if (!OpenSsl.isInstalled(command[0])) {
            return "not installed";
        }
        try (OpenSsl program = OpenSsl.start(List.of(command))) {
            return program.await(VERSION).group();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
