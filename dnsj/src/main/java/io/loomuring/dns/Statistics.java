package io.loomuring.dns;

/**
 * What a {@link Dnsj} has done since its start. Two questions, A and AAAA, make a look-up of
 * addresses.
 *
 * @param lookups calls
 * @param hits questions answered from the cache with records
 * @param negativeHits questions answered from the cache without
 * @param staleHits questions answered by what had run out, since no server answered
 * @param shared questions that waited for the same question of another thread
 * @param queries sent to servers, by UDP and TCP
 * @param tcpQueries those sent by TCP
 * @param tcpConnections opened
 * @param truncated answers that had to be asked for again by TCP
 * @param rejected datagrams that were no answer to what was asked
 * @param timeouts queries not answered in time
 * @param failures queries with another useless end: refused, failed, unreadable, unreachable
 * @param evictions answers given up for room
 * @param reloads of configuration files
 * @param cached answers in the cache now
 */
public record Statistics(
        long lookups,
        long hits,
        long negativeHits,
        long staleHits,
        long shared,
        long queries,
        long tcpQueries,
        long tcpConnections,
        long truncated,
        long rejected,
        long timeouts,
        long failures,
        long evictions,
        long reloads,
        int cached) {}
