package io.loomuring.it.bench;

import java.util.List;

/**
 * The picture of a comparison, as SVG: CPU time a request, a panel for each number of connections,
 * each with a scale of its own. A bar is the median, its whisker the range of the rounds.
 *
 * <p>Written by hand because Java's own drawing needs the system's font libraries, which a server
 * has no other use for.
 */
final class BarChart {
    private static final int BAR_WIDTH = 34;
    private static final int BAR_GAP = 14;
    private static final int PLOT_HEIGHT = 200;
    private static final int TOP = 64;
    private static final int BOTTOM = 52;
    private static final int PANEL_GAP = 36;
    private static final int MARGIN = 24;

    private final Results results;
    private final List<Side> sides;
    private final StringBuilder svg = new StringBuilder();

    private BarChart(Results results) {
        this.results = results;
        this.sides = results.sides();
    }

    static String of(Results results) {
        return new BarChart(results).draw();
    }

    private String draw() {
        int panels = results.connections().size();
        int panelWidth = sides.size() * (BAR_WIDTH + BAR_GAP);
        int width = 2 * MARGIN + panels * panelWidth + (panels - 1) * PANEL_GAP;
        int height = TOP + PLOT_HEIGHT + BOTTOM;
        svg.append(
                """
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" \
                font-family="sans-serif" font-size="12" text-anchor="middle">
                <rect width="100%%" height="100%%" fill="white"/>
                <text x="%d" y="22" font-size="15" text-anchor="start">\
                CPU time a request on the server, microseconds (lower is better)</text>
                """
                        .formatted(width, height, width, MARGIN));
        int left = MARGIN;
        for (int connections : results.connections()) {
            panel(connections, left, panelWidth);
            left += panelWidth + PANEL_GAP;
        }
        legend(height - 16);
        return svg.append("</svg>\n").toString();
    }

    private void panel(int connections, int left, int width) {
        double scale = PLOT_HEIGHT / highest(connections);
        int floor = TOP + PLOT_HEIGHT;
        int x = left + BAR_GAP / 2;
        for (Side side : sides) {
            bar(side, cpu(side, connections), x, floor, scale);
            x += BAR_WIDTH + BAR_GAP;
        }
        line(left, floor, left + width, floor);
        String title = connections == 1 ? "1 connection" : connections + " connections";
        text(left + width / 2.0, floor + 16, title);
    }

    private void bar(Side side, Spread cpu, int x, int floor, double scale) {
        double middle = x + BAR_WIDTH / 2.0;
        double top = floor - cpu.median() * scale;
        svg.append(
                "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\"/>\n"
                        .formatted(x, top, BAR_WIDTH, floor - top, color(side)));
        double whiskerTop = floor - cpu.max() * scale;
        line(middle, floor - cpu.min() * scale, middle, whiskerTop);
        text(middle, whiskerTop - 5, Format.figure(cpu.median()));
    }

    private void legend(int y) {
        double x = MARGIN;
        for (Side side : sides) {
            svg.append(
                    "<rect x=\"%.1f\" y=\"%d\" width=\"11\" height=\"11\" fill=\"%s\"/>\n"
                            .formatted(x, y - 10, color(side)));
            double labelWidth = side.label().length() * 6.6;
            text(x + 16 + labelWidth / 2, y, side.label());
            x += labelWidth + 34;
        }
    }

    private void line(double x1, double y1, double x2, double y2) {
        svg.append(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#333\"/>\n"
                        .formatted(x1, y1, x2, y2));
    }

    private void text(double x, double y, String text) {
        svg.append("<text x=\"%.1f\" y=\"%.1f\">%s</text>\n".formatted(x, y, text));
    }

    private Spread cpu(Side side, int connections) {
        return results.spread(side, connections, Measurement::serverCpuMicros);
    }

    private double highest(int connections) {
        return sides.stream().mapToDouble(side -> cpu(side, connections).max()).max().orElseThrow();
    }

    private static String color(Side side) {
        return switch (side) {
            case STOCK -> "#9aa5b1";
            case STOCK2 -> "#c3cad2";
            case OURS -> "#2f7ed8";
            case SQPOLL -> "#8fb8ea";
            case NETTY -> "#f0a35e";
            case C -> "#5b8c5a";
        };
    }
}
