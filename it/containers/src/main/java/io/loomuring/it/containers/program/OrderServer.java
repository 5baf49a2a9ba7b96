package io.loomuring.it.containers.program;

import redis.clients.jedis.Jedis;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * An application as there are many, plain blocking code: HTTPS in front; behind it PostgreSQL,
 * Redis and a web server, each by its name and over TLS. {@code /order/ID} enters an order at the
 * price that the web server tells, in one transaction, and counts it in Redis; {@code /void/ID}
 * does so and rolls back; {@code /sum} tells what there is. Arguments: names of database, Redis and
 * web server. Prints {@code tls=}, the provider of TLS, and {@code port=}.
 */
public final class OrderServer {
    private OrderServer() {}

    private static final int PORT = 8443;
    private static final int BACKLOG = 1024;

    public static void main(String[] arguments) throws Exception {
        String database = arguments[0];
        String cache = arguments[1];
        String web = arguments[2];
        System.out.println("tls=" + SSLContext.getDefault().getProvider().getName());
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute("create table orders (id integer primary key, price integer)");
        }
        try (ServerSocket listener =
                SSLServerSocketFactory.getDefault().createServerSocket(PORT, BACKLOG)) {
            System.out.println("port=" + PORT);
            new Http.Server(listener, () -> new Orders(database, cache, web)).serve();
        }
    }

    private static Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://"
                        + database
                        + "/postgres?user=postgres&password=secret&sslmode=verify-full"
                        + "&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory");
    }

    /** Of one client's connection, with connections of its own behind it, made at first use. */
    private static final class Orders implements Http.Handler {
        private final String databaseHost;
        private final String cacheHost;
        private final String webHost;

        private Connection database;
        private Jedis cache;
        private Http.Connection web;

        Orders(String databaseHost, String cacheHost, String webHost) {
            this.databaseHost = databaseHost;
            this.cacheHost = cacheHost;
            this.webHost = webHost;
        }

        @Override
        public String answer(String path) throws Exception {
            if (database == null) {
                database = connect(databaseHost);
                database.setAutoCommit(false);
                cache = new Jedis(URI.create("rediss://" + cacheHost + ":6379"));
                web = new Http.Connection(connectTls(webHost, 443), webHost);
            }
            String[] parts = path.split("/", 3);
            return switch (parts[1]) {
                case "order" -> order(Integer.parseInt(parts[2]), true);
                case "void" -> order(Integer.parseInt(parts[2]), false);
                case "sum" -> sum();
                default -> "what?";
            };
        }

        private String order(int id, boolean commit) throws SQLException, IOException {
            int price = Integer.parseInt(web.get("/price"));
            try (PreparedStatement insert =
                    database.prepareStatement("insert into orders values (?, ?)")) {
                insert.setInt(1, id);
                insert.setInt(2, price);
                insert.executeUpdate();
            }
            if (commit) {
                database.commit();
                cache.incrBy("orders", 1);
                cache.set("order " + id, "" + price);
            } else {
                database.rollback();
            }
            return id + " " + price;
        }

        /** Rows, their sum, Redis' count, and whether the database's connection is encrypted. */
        private String sum() throws SQLException {
            try (Statement statement = database.createStatement();
                    ResultSet result =
                            statement.executeQuery(
                                    "select count(*), sum(price), bool_and(ssl) from orders,"
                                            + " pg_stat_ssl where pid = pg_backend_pid()")) {
                result.next();
                return result.getInt(1)
                        + " "
                        + result.getInt(2)
                        + " "
                        + cache.get("orders")
                        + " "
                        + result.getBoolean(3);
            } finally {
                database.commit();
            }
        }

        @Override
        public void close() throws IOException, SQLException {
            if (database != null) {
                database.close();
                cache.close();
                web.close();
            }
        }
    }

    /** Whose certificate must name it. */
    static Socket connectTls(String host, int port) throws IOException {
        var socket = (SSLSocket) SSLSocketFactory.getDefault().createSocket(host, port);
        var parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }
}
