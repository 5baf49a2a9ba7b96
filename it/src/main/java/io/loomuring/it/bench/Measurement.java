package io.loomuring.it.bench;

import java.util.Map;

/**
 * What one run of the load measured.
 *
 * @param requests answered within the window
 * @param requestsInAll answered since the load was started, outside the window too
 * @param serverCpuMicros the server process's CPU time a request
 * @param userShare the part of it spent in user mode, from 0 to 1
 * @param pollerCpuMicros the part of it that the kernel's thread took that polls for submissions
 * @param clientCpuMicros the load's own CPU time a request
 * @param othersCores how many cores were busy with neither server nor load, on average: what
 *     disturbed the measurement
 * @param systemCalls the server's system calls a request; NaN where they cannot be counted
 * @param late requests left out because the connection still waited for its last answer: none in a
 *     closed loop
 */
record Measurement(
        long requests,
        long requestsInAll,
        double requestsPerSecond,
        double serverCpuMicros,
        double userShare,
        double pollerCpuMicros,
        double clientCpuMicros,
        double othersCores,
        double systemCalls,
        double p50Micros,
        double p99Micros,
        double p999Micros,
        double maxMicros,
        long late) {

    /** From the line that load.c prints. */
    static Measurement parse(String line) {
        Map<String, Double> fields = Json.parseNumbers(line);
        double requests = fields.get("requests");
        double userTicks = fields.get("server_user_ticks");
        double nanos = fields.get("nanoseconds");
        double serverNanos = fields.get("server_cpu_ns");
        double clientNanos = fields.get("client_cpu_ns");
        double othersNanos = fields.get("machine_cpu_ns") - serverNanos - clientNanos;
        double ticks = userTicks + fields.get("server_system_ticks");
        return new Measurement(
                (long) requests,
                fields.get("requests_in_all").longValue(),
                requests / nanos * 1e9,
                serverNanos / requests / 1e3,
                ticks == 0 ? 0 : userTicks / ticks,
                fields.get("server_poller_ns") / requests / 1e3,
                clientNanos / requests / 1e3,
                Math.max(0, othersNanos / nanos), // clocks of different grain
                fields.containsKey("syscalls")
                        ? fields.get("syscalls") / fields.get("syscall_requests")
                        : Double.NaN,
                fields.get("p50_ns") / 1e3,
                fields.get("p99_ns") / 1e3,
                fields.get("p999_ns") / 1e3,
                fields.get("max_ns") / 1e3,
                fields.get("late").longValue());
    }

    double userMicros() {
        return serverCpuMicros * userShare;
    }

    double systemMicros() {
        return serverCpuMicros - userMicros();
    }
}
