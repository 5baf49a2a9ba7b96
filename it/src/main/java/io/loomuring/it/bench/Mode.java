package io.loomuring.it.bench;

import static io.loomuring.it.bench.Side.C;
import static io.loomuring.it.bench.Side.NETTY;
import static io.loomuring.it.bench.Side.OURS;
import static io.loomuring.it.bench.Side.SQPOLL;
import static io.loomuring.it.bench.Side.STOCK;
import static io.loomuring.it.bench.Side.STOCK2;

import java.util.List;

/** The kinds of run. */
enum Mode {
    FULL,
    QUICK,
    DEMO,
    PLATFORM,
    SELECTOR,
    SQ_POLL,
    HELD,
    STALL,
    TIMERS,
    TWO_CARRIERS,
    ALLOCATION;

    /**
     * What is run, one after the other.
     *
     * @param api the only one that is wanted; null: what the mode is for
     */
    List<Workload> workloads(Api api) {
        List<Workload> all =
                switch (this) {
                    case DEMO -> List.of(Workload.HTTP);
                    case PLATFORM -> List.of(Workload.PLATFORM_CHANNELS, Workload.PLATFORM_SOCKETS);
                    case SELECTOR -> List.of(Workload.EVENT_LOOP, Workload.VIRTUAL_EVENT_LOOP);
                    default -> List.of(Workload.CHANNELS, Workload.SOCKETS);
                };
        return switch (this) {
            case DEMO, SELECTOR -> all;
            case SQ_POLL, TWO_CARRIERS, ALLOCATION -> of(api == null ? Api.CHANNELS : api, all);
            case FULL, QUICK, PLATFORM, HELD, STALL, TIMERS -> api == null ? all : of(api, all);
        };
    }

    private static List<Workload> of(Api api, List<Workload> workloads) {
        return workloads.stream().filter(workload -> workload.api() == api).toList();
    }

    /** What is measured unless options say otherwise. */
    Plan plan(Workload workload) {
        return switch (this) {
            case FULL ->
                    new Plan(
                            List.of(STOCK, STOCK2, OURS, NETTY, C),
                            List.of(1, 16, 128, 1024),
                            5,
                            64,
                            4,
                            3,
                            1);
            case QUICK ->
                    workload == Workload.CHANNELS
                            ? new Plan(
                                    List.of(STOCK, OURS, NETTY, C),
                                    List.of(1, 16, 128),
                                    1,
                                    64,
                                    4,
                                    2,
                                    0.5)
                            : new Plan(List.of(STOCK, OURS), List.of(16), 1, 64, 3, 2, 0.5);
            case DEMO -> new Plan(List.of(STOCK, OURS), List.of(1, 16, 128), 2, 64, 4, 2, 0.5);
            case PLATFORM ->
                    new Plan(List.of(STOCK, STOCK2, OURS), List.of(1, 16, 128), 5, 64, 4, 3, 1);
            case SELECTOR -> new Plan(List.of(STOCK, STOCK2, OURS), List.of(1_000), 5, 64, 4, 3, 1);
            case SQ_POLL ->
                    new Plan(
                            List.of(STOCK, OURS, SQPOLL, C),
                            List.of(1, 16, 128, 1024),
                            5,
                            64,
                            4,
                            3,
                            1);
            case HELD -> new Plan(List.of(STOCK, OURS), List.of(10_000), 3, 64, 10, 60, 0);
            case STALL -> new Plan(List.of(STOCK, OURS), List.of(0), 5, 0, 0, 2, 0);
            case TIMERS -> new Plan(List.of(STOCK, OURS), List.of(0), 5, 0, 0, 0, 0);
            case TWO_CARRIERS -> new Plan(List.of(OURS), List.of(16), 3, 64, 3, 3, 0);
            case ALLOCATION -> new Plan(List.of(STOCK, OURS), List.of(16), 1, 64, 4, 3, 0);
        };
    }

    /** The reports' file name, without its extension. */
    String reportName(Workload workload) {
        return switch (this) {
            case SQ_POLL -> workload.api() == Api.CHANNELS ? "sqpoll" : "sqpoll-sockets";
            default -> workload.reportName();
        };
    }

    /** What the results are judged by. */
    List<Target> targets(Workload workload, Results results) {
        if (this == SQ_POLL) {
            return List.of(); // it is not the default
        }
        if (workload.isEventLoop()) {
            return Target.cpuOfStock(results, 1.05);
        }
        return workload.onPlatformThreads() ? Target.cpuOfStock(results, 1.10) : Target.of(results);
    }
}
