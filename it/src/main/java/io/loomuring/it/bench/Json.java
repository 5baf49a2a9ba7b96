package io.loomuring.it.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** As much JSON as the benchmark speaks. */
final class Json {
    private static final Pattern NUMBER = Pattern.compile("\"(\\w+)\":(-?[0-9.]+)");

    private Json() {}

    /** The numeric members of a flat object. */
    static Map<String, Double> parseNumbers(String object) {
        var numbers = new LinkedHashMap<String, Double>();
        for (Matcher matcher = NUMBER.matcher(object); matcher.find(); ) {
            numbers.put(matcher.group(1), Double.valueOf(matcher.group(2)));
        }
        return numbers;
    }

    /** A value made of maps, lists, strings, numbers; NaN becomes null. */
    static String write(Object value) {
        return switch (value) {
            case Map<?, ?> map ->
                    map.entrySet().stream()
                            .map(entry -> write(entry.getKey()) + ": " + write(entry.getValue()))
                            .collect(Collectors.joining(", ", "{", "}"));
            case List<?> list ->
                    list.stream()
                            .map(Json::write)
                            .collect(Collectors.joining(",\n  ", "[\n  ", "\n]"));
            case Double number -> number.isNaN() ? "null" : "%.4f".formatted(number);
            case Number number -> number.toString();
            default -> quote(value.toString());
        };
    }

    private static String quote(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
}
