package io.loomuring.dns;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The hosts line of nsswitch.conf(5).
 *
 * @param sources where to look, in order
 * @param notes what was skipped, for people
 */
record NsSwitch(List<Source> sources, List<String> notes) {

    /** Where names are looked for. */
    enum Service {
        FILES,
        DNS,
        MYHOSTNAME
    }

    /** How looking there ended. */
    enum Status {
        SUCCESS,
        NOTFOUND,
        UNAVAIL,
        TRYAGAIN
    }

    /**
     * One service.
     *
     * @param returning after which results the search ends
     */
    record Source(Service service, Set<Status> returning) {}

    private static final Pattern HOSTS =
            Pattern.compile("^[ \\t]*hosts[ \\t]*:(.*)$", Pattern.MULTILINE);
    private static final Pattern WORD = Pattern.compile("\\[([^\\]]*)\\]?|[^\\s\\[]+");
    private static final Pattern ACTION = Pattern.compile("(!?)\\s*(\\w+)\\s*=\\s*(\\w+)");

    /**
     * Reads; null stands for a file that isn't there, which is as glibc's "files dns". As in glibc,
     * the last line counts, and a # in it is a word like others.
     */
    static NsSwitch parse(String text) {
        Matcher hosts = HOSTS.matcher(text == null ? "" : text);
        String line = "files dns";
        while (hosts.find()) {
            line = hosts.group(1);
        }
        var notes = new ArrayList<String>();
        List<Source> sources = sources(line, notes);
        return new NsSwitch(List.copyOf(sources), List.copyOf(notes));
    }

    private static List<Source> sources(String line, List<String> notes) {
        var sources = new ArrayList<Source>();
        Source last = null;
        Matcher words = WORD.matcher(line);
        while (words.find()) {
            if (words.group(1) != null) {
                if (last != null) {
                    actions(words.group(1), last.returning(), notes);
                }
                continue;
            }
            last = null;
            for (Service service : Service.values()) {
                if (service.name().toLowerCase(Locale.ROOT).equals(words.group())) {
                    last = new Source(service, EnumSet.of(Status.SUCCESS));
                    sources.add(last);
                }
            }
            if (last == null) {
                notes.add("nsswitch.conf: skipped service " + words.group());
            }
        }
        return sources;
    }

    private static void actions(String text, Set<Status> returning, List<String> notes) {
        Matcher actions = ACTION.matcher(text);
        while (actions.find()) {
            Set<Status> concerned = statuses(actions.group(2));
            if (concerned.isEmpty()) {
                notes.add("nsswitch.conf: skipped action " + actions.group());
                continue;
            }
            if (!actions.group(1).isEmpty()) {
                concerned = EnumSet.complementOf(EnumSet.copyOf(concerned));
            }
            switch (actions.group(3).toLowerCase(Locale.ROOT)) {
                case "return" -> returning.addAll(concerned);
                case "continue", "merge" -> returning.removeAll(concerned);
                default -> notes.add("nsswitch.conf: skipped action " + actions.group());
            }
        }
    }

    private static Set<Status> statuses(String name) {
        for (Status status : Status.values()) {
            if (status.name().equalsIgnoreCase(name)) {
                return EnumSet.of(status);
            }
        }
        return EnumSet.noneOf(Status.class);
    }
}
