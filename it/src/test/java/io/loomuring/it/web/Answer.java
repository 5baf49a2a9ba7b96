package io.loomuring.it.web;

/**
 * What a client got.
 *
 * @param contentLength as the header told it; -1 if none did
 * @param uploaded the tally of what the server received
 * @param downloaded the tally of what the client received
 * @param connection what the server calls the connection
 * @param thread what ran the server's handler: {@link Site#VIRTUAL} or {@link Site#PLATFORM}
 */
public record Answer(
        int status,
        long contentLength,
        String uploaded,
        String downloaded,
        String connection,
        String thread) {}
