package io.loomuring.it.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A Markdown table with aligned columns, for a terminal as well as for a page. */
final class Table {
    private final List<List<String>> rows = new ArrayList<>();

    Table(String... headers) {
        rows.add(List.of(headers));
    }

    void row(String... cells) {
        if (cells.length != rows.getFirst().size()) {
            throw new IllegalArgumentException("a row of " + cells.length + " cells");
        }
        rows.add(List.of(cells));
    }

    @Override
    public String toString() {
        List<Integer> widths =
                IntStream.range(0, rows.getFirst().size())
                        .mapToObj(column ->
                                rows.stream()
                                        .mapToInt(row -> row.get(column).length())
                                        .max()
                                        .orElseThrow())
                        .toList();
        var text = new StringBuilder();
        text.append(line(rows.getFirst(), widths));
        text.append(
                widths.stream().map("-"::repeat).collect(Collectors.joining(" | ", "| ", " |\n")));
        rows.stream().skip(1).forEach(row -> text.append(line(row, widths)));
        return text.toString();
    }

    private static String line(List<String> cells, List<Integer> widths) {
        return IntStream.range(0, cells.size())
                .mapToObj(i -> cells.get(i) + " ".repeat(widths.get(i) - cells.get(i).length()))
                .collect(Collectors.joining(" | ", "| ", " |\n"));
    }
}
