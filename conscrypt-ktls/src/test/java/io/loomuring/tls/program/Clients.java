package io.loomuring.tls.program;

import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

import redis.clients.jedis.Jedis;

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Clients as applications have them, which say nothing about who provides TLS. */
public final class Clients {
    private Clients() {}

    /** Which client, and where to: "ok" and what it got there, or what it threw. */
    public static void main(String[] arguments) throws Exception {
        for (String where : Arrays.asList(arguments).subList(1, arguments.length)) {
            var task = new FutureTask<>(() -> ask(arguments[0], where));
            Thread.ofVirtual().start(task);
            try {
                System.out.println("ok: " + task.get());
            } catch (ExecutionException e) {
                e.printStackTrace(System.out);
            }
        }
        Witness.print();
        System.exit(0); // some clients keep threads
    }

    private static String ask(String client, String where) throws Exception {
        return switch (client) {
            case "HttpsURLConnection" -> httpsUrlConnection(where);
            case "HttpClient" -> httpClient(where);
            case "OkHttp" -> okHttp(where);
            case "pgjdbc" -> postgres(where);
            case "Jedis" -> redis(where);
            default -> throw new IllegalArgumentException(client);
        };
    }

    private static String httpsUrlConnection(String url) throws Exception {
        try (InputStream in = URI.create(url).toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static String httpClient(String url) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> response =
                    client.send(
                            HttpRequest.newBuilder(URI.create(url)).build(),
                            HttpResponse.BodyHandlers.ofString());
            return response.body() + " by " + response.version();
        }
    }

    private static String okHttp(String url) throws Exception {
        Request request = new Request.Builder().url(url).build();
        try (Response response = new OkHttpClient().newCall(request).execute()) {
            return response.body().string() + " by " + response.protocol();
        }
    }

    private static String postgres(String url) throws Exception {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet result =
                        statement.executeQuery(
                                "select ssl, version, length(repeat('x', 100000))"
                                        + " from pg_stat_ssl where pid = pg_backend_pid()")) {
            result.next();
            return result.getBoolean(1) + " " + result.getString(2) + " " + result.getInt(3);
        }
    }

    private static String redis(String url) {
        try (var jedis = new Jedis(URI.create(url))) {
            jedis.set("key", "x".repeat(100_000));
            return jedis.ping() + " " + jedis.get("key").length();
        }
    }
}
