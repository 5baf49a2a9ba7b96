package io.loomuring;

import io.loomuring.Finding.Status;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the doctor found, as a table or as JSON.
 *
 * @param version ours
 * @param findings in the order in which they are read
 * @param properties the settings in effect; empty if they can't be used
 */
record Diagnosis(String version, List<Finding> findings, Map<String, String> properties) {
    private static final int INDENT = 2;

    /** Whether virtual threads can run on io_uring here. */
    boolean canRun() {
        return findings.stream().noneMatch(finding -> finding.status() == Status.BLOCKED);
    }

    /** For people. */
    String toTable() {
        int statusWidth = width(findings.stream().map(Diagnosis::status).toList());
        int topicWidth = width(findings.stream().map(Finding::topic).toList());
        var table = new StringBuilder("loom-uring ").append(version).append("\n\n");
        for (Finding finding : findings) {
            table.append(padded(status(finding), statusWidth))
                    .append(padded(finding.topic(), topicWidth))
                    .append(finding.detail())
                    .append('\n');
            if (!finding.remedy().isEmpty()) {
                table.append(" ".repeat(statusWidth + topicWidth))
                        .append("-> ")
                        .append(finding.remedy())
                        .append('\n');
            }
        }
        if (!properties.isEmpty()) {
            table.append("\nproperties in effect\n");
            int nameWidth = width(List.copyOf(properties.keySet()));
            properties.forEach((name, value) ->
                    table.append(" ".repeat(INDENT))
                            .append(padded(name, nameWidth))
                            .append(value)
                            .append('\n'));
        }
        return table.append('\n').append(verdict()).append('\n').toString();
    }

    private String verdict() {
        return canRun()
                ? "Virtual threads can run on io_uring here."
                : "Virtual threads can't run on io_uring here: see "
                        + findings.stream()
                                .filter(finding -> finding.status() == Status.BLOCKED)
                                .map(Finding::topic)
                                .collect(Collectors.joining(", "))
                        + " above.";
    }

    private static String status(Finding finding) {
        String name = finding.status().name();
        return finding.status() == Status.BLOCKED ? name : name.toLowerCase(Locale.ROOT);
    }

    private static int width(List<String> column) {
        return column.stream().mapToInt(String::length).max().orElse(0) + INDENT;
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(width - text.length());
    }

    /** For programs: one object, statuses in lower case. */
    String toJson() {
        String checks =
                findings.stream()
                        .map(Diagnosis::toJson)
                        .collect(Collectors.joining(",\n    ", "[\n    ", "\n  ]"));
        return "{\n  "
                + String.join(
                        ",\n  ",
                        quoted("version") + ": " + quoted(version),
                        quoted("canRun") + ": " + canRun(),
                        quoted("checks") + ": " + checks,
                        quoted("properties") + ": " + toJson(properties))
                + "\n}\n";
    }

    private static String toJson(Finding finding) {
        var fields = new LinkedHashMap<String, String>();
        fields.put("topic", finding.topic());
        fields.put("status", finding.status().name().toLowerCase(Locale.ROOT));
        fields.put("detail", finding.detail());
        if (!finding.remedy().isEmpty()) {
            fields.put("remedy", finding.remedy());
        }
        return toJson(fields);
    }

    private static String toJson(Map<String, String> fields) {
        return fields.entrySet().stream()
                .map(field -> quoted(field.getKey()) + ": " + quoted(field.getValue()))
                .collect(Collectors.joining(", ", "{", "}"));
    }

    private static String quoted(String text) {
        var quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> quoted.append('\\').append(c);
                case '\n' -> quoted.append("\\n");
                default -> {
                    if (c < ' ') {
                        quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        quoted.append(c);
                    }
                }
            }
        }
        return quoted.append('"').toString();
    }
}
