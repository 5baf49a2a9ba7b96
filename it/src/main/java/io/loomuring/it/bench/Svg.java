package io.loomuring.it.bench;

/**
 * A picture in the making.
 *
 * <p>Written by hand because Java's own drawing needs the system's font libraries, which a server
 * has no other use for.
 */
public final class Svg {
    private final StringBuilder svg = new StringBuilder();

    /** An empty one, with a title; texts are centred on their places. */
    public Svg(int width, int height, int margin, String title) {
        svg.append(
                """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" \
                font-family="sans-serif" font-size="12" text-anchor="middle">
                <rect width="100%%" height="100%%" fill="white"/>
                <text x="%d" y="22" font-size="15" text-anchor="start">%s</text>
                """
                        .formatted(width, height, width, margin, title));
    }

    void bar(int x, double y, int width, double height, String color) {
        svg.append(
                "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\"/>\n"
                        .formatted(x, y, width, height, color));
    }

    void patch(double x, int y, String color) {
        svg.append(
                "<rect x=\"%.1f\" y=\"%d\" width=\"11\" height=\"11\" fill=\"%s\"/>\n"
                        .formatted(x, y, color));
    }

    public void line(double x1, double y1, double x2, double y2) {
        svg.append(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#333\"/>\n"
                        .formatted(x1, y1, x2, y2));
    }

    /** Lines from point to point. */
    public void curve(double[] x, double[] y, String color) {
        svg.append("<polyline fill=\"none\" stroke=\"").append(color).append("\" points=\"");
        for (int i = 0; i < x.length; i++) {
            svg.append("%s%.1f,%.1f".formatted(i == 0 ? "" : " ", x[i], y[i]));
        }
        svg.append("\"/>\n");
    }

    public void text(double x, double y, String text) {
        svg.append("<text x=\"%.1f\" y=\"%.1f\">%s</text>\n".formatted(x, y, text));
    }

    /** The whole of it. */
    public String end() {
        return svg.append("</svg>\n").toString();
    }
}
