package io.loomuring.it.web;

/**
 * A request.
 *
 * @param held whether the answer waits until the site is told to give it
 */
public record Ask(Body upload, Body download, boolean held) {
    /** To be answered at once. */
    public Ask(Body upload, Body download) {
        this(upload, download, false);
    }

    /** The answer waits until the site is told to give it. */
    public static Ask held(Body upload, Body download) {
        return new Ask(upload, download, true);
    }

    /** What of it the site must know before the upload. */
    public String path() {
        return "/"
                + (held ? "held" : "now")
                + (download.chunked() ? "/chunked/" : "/fixed/")
                + download.length();
    }

    /** The request with that path, but for its upload. */
    static Ask of(String path) {
        String[] parts = path.split("/", -1);
        return new Ask(
                Body.EMPTY,
                new Body(Long.parseLong(parts[3]), parts[2].equals("chunked")),
                parts[1].equals("held"));
    }
}
