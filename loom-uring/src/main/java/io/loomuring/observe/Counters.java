package io.loomuring.observe;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one ring and its carrier, or the group's watchdog, did since start. Plain fields: the ring's
 * owner, or the watchdog, is the only writer, and a reader that sees a value one turn old is
 * content.
 */
public final class Counters {
    public long operations; // SQEs that stood for somebody's operation
    public long enters; // io_uring_enter system calls
    public long cancels; // ASYNC_CANCEL requests
    public long completions; // CQEs reaped
    public long staleCompletions; // CQEs whose generation had passed: must stay 0
    public long submissionQueueFull; // submissions that had to enter first
    public long completionOverflows; // times that the kernel kept completions back
    public long enterRetries; // EAGAIN and EBUSY
    public long noProvidedBuffer; // ENOBUFS: a heap read that took the long way
    public long tasks; // continuations run
    public long steals; // continuations taken from another carrier
    public long wakeups; // times that another thread woke the carrier
    public long foreignOperations; // of threads that have no ring
    public long stalls; // times that a carrier was found not to get on with its work
    public long moved; // operations that left a ring whose carrier sleeps uninterruptibly
    public long spares; // times that a carrier took over for one that doesn't get on

    /** Adds another carrier's counters to these. */
    public void add(Counters other) {
        operations += other.operations;
        enters += other.enters;
        cancels += other.cancels;
        completions += other.completions;
        staleCompletions += other.staleCompletions;
        submissionQueueFull += other.submissionQueueFull;
        completionOverflows += other.completionOverflows;
        enterRetries += other.enterRetries;
        noProvidedBuffer += other.noProvidedBuffer;
        tasks += other.tasks;
        steals += other.steals;
        wakeups += other.wakeups;
        foreignOperations += other.foreignOperations;
        stalls += other.stalls;
        moved += other.moved;
        spares += other.spares;
    }

    /** Name to value, in the order above. */
    public Map<String, Long> toMap() {
        var map = new LinkedHashMap<String, Long>();
        map.put("operations", operations);
        map.put("enters", enters);
        map.put("cancels", cancels);
        map.put("completions", completions);
        map.put("staleCompletions", staleCompletions);
        map.put("submissionQueueFull", submissionQueueFull);
        map.put("completionOverflows", completionOverflows);
        map.put("enterRetries", enterRetries);
        map.put("noProvidedBuffer", noProvidedBuffer);
        map.put("tasks", tasks);
        map.put("steals", steals);
        map.put("wakeups", wakeups);
        map.put("foreignOperations", foreignOperations);
        map.put("stalls", stalls);
        map.put("moved", moved);
        map.put("spares", spares);
        return map;
    }
}
