package io.loomuring.it.soak;

import io.loomuring.it.bench.Svg;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a soak measured, by time: a table, and a picture of it. */
final class Series {
    private static final int WIDTH = 760;
    private static final int MARGIN = 24;
    private static final int TOP = 44;
    private static final int PANEL_HEIGHT = 70;
    private static final int PANEL_GAP = 34;
    private static final int LABEL_WIDTH = 70;
    private static final String WORKLOAD_COLOR = "#2f7ed8";
    private static final String PEER_COLOR = "#f0a35e";

    private final List<Double> seconds = new ArrayList<>();
    private final Map<String, List<Double>> columns = new LinkedHashMap<>();

    void at(double second) {
        seconds.add(second);
    }

    void add(String column, double value) {
        columns.computeIfAbsent(column, _ -> new ArrayList<>()).add(value);
    }

    double[] all(String column) {
        return columns.get(column).stream().mapToDouble(Double::doubleValue).toArray();
    }

    /** Of the second half of the time. */
    double[] lastHalf(String column) {
        List<Double> values = columns.get(column);
        return values.subList(values.size() / 2, values.size()).stream()
                .mapToDouble(Double::doubleValue)
                .toArray();
    }

    String csv() {
        var csv = new StringBuilder("seconds");
        columns.keySet().forEach(name -> csv.append(',').append(name));
        csv.append('\n');
        for (int i = 0; i < seconds.size(); i++) {
            csv.append(String.format(Locale.ROOT, "%.1f", seconds.get(i)));
            for (List<Double> column : columns.values()) {
                csv.append(String.format(Locale.ROOT, ",%.0f", column.get(i)));
            }
            csv.append('\n');
        }
        return csv.toString();
    }

    /**
     * One panel below the other, from 0 each.
     *
     * @param panels title to the columns in it: the workload's, and the peer's if there is one
     */
    String svg(String title, Map<String, List<String>> panels) {
        int height = TOP + panels.size() * (PANEL_HEIGHT + PANEL_GAP) + MARGIN;
        var svg = new Svg(WIDTH, height, MARGIN, title);
        int top = TOP + 10;
        for (Map.Entry<String, List<String>> panel : panels.entrySet()) {
            panel(svg, top, panel.getKey(), panel.getValue());
            top += PANEL_HEIGHT + PANEL_GAP;
        }
        double end = seconds.getLast();
        svg.text(MARGIN + LABEL_WIDTH, height - 12.0, "0");
        svg.text(WIDTH - MARGIN - 20.0, height - 12.0, String.format(Locale.ROOT, "%.0f s", end));
        return svg.end();
    }

    private void panel(Svg svg, int top, String title, List<String> names) {
        double highest = 0;
        for (String name : names) {
            for (double value : all(name)) {
                highest = Math.max(highest, value);
            }
        }
        int left = MARGIN + LABEL_WIDTH;
        int right = WIDTH - MARGIN;
        int floor = top + PANEL_HEIGHT;
        svg.line(left, floor, right, floor);
        svg.line(left, top, left, floor);
        svg.text((left + right) / 2.0, top - 4.0, title);
        svg.text(left - LABEL_WIDTH / 2.0, top + 8.0, label(highest));
        svg.text(left - LABEL_WIDTH / 2.0, floor, "0");
        for (int i = 0; i < names.size(); i++) {
            double[] y = all(names.get(i));
            double[] x = new double[y.length];
            for (int j = 0; j < y.length; j++) {
                x[j] = left + (right - left) * seconds.get(j) / seconds.getLast();
                y[j] = floor - PANEL_HEIGHT * y[j] / Math.max(1, highest);
            }
            svg.curve(x, y, i == 0 ? WORKLOAD_COLOR : PEER_COLOR);
        }
    }

    private static String label(double value) {
        return value >= 1e6
                ? String.format(Locale.ROOT, "%.1f M", value / 1e6)
                : String.format(Locale.ROOT, "%,.0f", value);
    }
}
