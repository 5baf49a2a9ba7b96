package io.loomuring.it.bench;

import static io.loomuring.it.bench.Side.C;
import static io.loomuring.it.bench.Side.NETTY;
import static io.loomuring.it.bench.Side.OURS;
import static io.loomuring.it.bench.Side.STOCK;
import static io.loomuring.it.bench.Side.STOCK2;

import java.util.List;

/** The kinds of run. */
enum Mode {
    FULL,
    QUICK,
    DEMO,
    TWO_CARRIERS,
    ALLOCATION;

    /** What is measured unless options say otherwise. */
    Plan plan() {
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
                    new Plan(List.of(STOCK, OURS, NETTY, C), List.of(1, 16, 128), 1, 64, 4, 2, 0.5);
            case DEMO -> new Plan(List.of(STOCK, OURS), List.of(1, 16, 128), 2, 64, 4, 2, 0.5);
            case TWO_CARRIERS -> new Plan(List.of(OURS), List.of(16), 3, 64, 3, 3, 0);
            case ALLOCATION -> new Plan(List.of(STOCK, OURS), List.of(16), 1, 64, 4, 3, 0);
        };
    }
}
