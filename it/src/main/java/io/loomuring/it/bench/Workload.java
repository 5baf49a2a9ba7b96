package io.loomuring.it.bench;

import io.loomuring.it.bench.server.EchoServer;
import io.loomuring.it.bench.server.HttpServer;
import io.loomuring.it.bench.server.SelectorEchoServer;
import io.loomuring.it.bench.server.SocketEchoServer;

import java.util.List;

/** What the servers are asked, and which program those on the JDK are. */
enum Workload {
    CHANNELS(Api.CHANNELS, EchoServer.class, "virtual", "Echo server on channels", "echo"),
    SOCKETS(
            Api.SOCKETS,
            SocketEchoServer.class,
            "virtual",
            "Echo server on sockets",
            "echo-sockets"),
    PLATFORM_CHANNELS(
            Api.CHANNELS,
            EchoServer.class,
            "platform",
            "Echo server on channels and platform threads",
            "platform-channels"),
    PLATFORM_SOCKETS(
            Api.SOCKETS,
            SocketEchoServer.class,
            "platform",
            "Echo server on sockets and platform threads",
            "platform-sockets"),
    EVENT_LOOP(
            Api.CHANNELS,
            SelectorEchoServer.class,
            "platform",
            "Echo server on a selector and a platform thread",
            "selector"),
    VIRTUAL_EVENT_LOOP(
            Api.CHANNELS,
            SelectorEchoServer.class,
            "virtual",
            "Echo server on a selector and a virtual thread",
            "virtual-selector"),
    HTTP(Api.SOCKETS, HttpServer.class, "virtual", "HTTP server on sockets", "http");

    private final Api api;
    private final Class<?> program;
    private final String threads;
    private final String title;
    private final String reportName;

    Workload(Api api, Class<?> program, String threads, String title, String reportName) {
        this.api = api;
        this.program = program;
        this.threads = threads;
        this.title = title;
        this.reportName = reportName;
    }

    Api api() {
        return api;
    }

    boolean onPlatformThreads() {
        return threads.equals("platform");
    }

    /** Whether one thread serves all connections. */
    boolean isEventLoop() {
        return program == SelectorEchoServer.class;
    }

    /** What the servers are, for a page's title. */
    String title() {
        return title;
    }

    /** The reports' file name, without its extension. */
    String reportName() {
        return reportName;
    }

    /**
     * Its class and arguments.
     *
     * @param buffer what it reads into, if it is told: direct or heap
     */
    List<String> program(String buffer) {
        String name = program.getName();
        return this == HTTP
                ? List.of(name)
                : List.of(name, "--threads", threads, "--buffer", buffer);
    }

    /** What the load is told. */
    List<String> requests(int messageBytes) {
        return this == HTTP
                ? List.of("--http")
                : List.of("--message-bytes", String.valueOf(messageBytes));
    }

    /** The same for people. */
    String describeRequests(int messageBytes) {
        String what = this == HTTP ? "HTTP/1.1, keep-alive" : messageBytes + " bytes";
        return what + ", IPv4 loopback, one outstanding a connection";
    }
}
