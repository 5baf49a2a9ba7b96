package io.loomuring.it.bench;

import java.util.List;

/**
 * The picture of a comparison, as SVG: CPU time a request, a panel for each number of connections,
 * each with a scale of its own. A bar is the median, its whisker the range of the rounds.
 */
final class BarChart {
    private static final int BAR_WIDTH = 34;
    private static final int BAR_GAP = 14;
    private static final int PLOT_HEIGHT = 200;
    private static final int TOP = 64;
    private static final int BOTTOM = 52;
    private static final int PANEL_GAP = 36;
    private static final int MARGIN = 24;
    private static final int HEIGHT = TOP + PLOT_HEIGHT + BOTTOM;

    private final Results results;
    private final List<Side> sides;
    private final int panelWidth;
    private final Svg svg;

    private BarChart(Results results) {
        this.results = results;
        this.sides = results.sides();
        int panels = results.connections().size();
        panelWidth = sides.size() * (BAR_WIDTH + BAR_GAP);
        int width = 2 * MARGIN + panels * panelWidth + (panels - 1) * PANEL_GAP;
        svg =
                new Svg(
                        width,
                        HEIGHT,
                        MARGIN,
                        "CPU time a request on the server, microseconds (lower is better)");
    }

    static String of(Results results) {
        return new BarChart(results).draw();
    }

    private String draw() {
        int left = MARGIN;
        for (int connections : results.connections()) {
            panel(connections, left, panelWidth);
            left += panelWidth + PANEL_GAP;
        }
        legend(HEIGHT - 16);
        return svg.end();
    }

    private void panel(int connections, int left, int width) {
        double scale = PLOT_HEIGHT / highest(connections);
        int floor = TOP + PLOT_HEIGHT;
        int x = left + BAR_GAP / 2;
        for (Side side : sides) {
            bar(side, cpu(side, connections), x, floor, scale);
            x += BAR_WIDTH + BAR_GAP;
        }
        svg.line(left, floor, left + width, floor);
        String title = connections == 1 ? "1 connection" : connections + " connections";
        svg.text(left + width / 2.0, floor + 16, title);
    }

    private void bar(Side side, Spread cpu, int x, int floor, double scale) {
        double middle = x + BAR_WIDTH / 2.0;
        double top = floor - cpu.median() * scale;
        svg.bar(x, top, BAR_WIDTH, floor - top, color(side));
        double whiskerTop = floor - cpu.max() * scale;
        svg.line(middle, floor - cpu.min() * scale, middle, whiskerTop);
        svg.text(middle, whiskerTop - 5, Format.figure(cpu.median()));
    }

    private void legend(int y) {
        double x = MARGIN;
        for (Side side : sides) {
            svg.patch(x, y - 10, color(side));
            double labelWidth = side.label().length() * 6.6;
            svg.text(x + 16 + labelWidth / 2, y, side.label());
            x += labelWidth + 34;
        }
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
