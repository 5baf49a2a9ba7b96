package io.loomuring.dns;

import io.loomuring.dns.LookupException.Reason;

import org.xbill.DNS.Name;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A name tried as it is and with the domains of the search list, in the order and with the ends of
 * glibc's res_nsearch. Of one look-up.
 */
final class Search {
    private final Settings settings;
    private final String host;
    private final Set<Name> tried = new HashSet<>();
    private Answer asItIs; // the failure, once tried
    private Answer last; // the latest failure
    private boolean sawNoRecord;
    private Answer serverFailure;

    /**
     * A search.
     *
     * @param host the name as the caller wrote it, for messages
     */
    Search(Settings settings, String host) {
        this.settings = settings;
        this.host = host;
    }

    /** The answers that have records, at least one. */
    List<Answer> run(String name, List<Integer> types) throws LookupException {
        ResolvConf conf = settings.resolv();
        long dots = name.chars().filter(c -> c == '.').count();
        boolean absolute = name.endsWith(".");
        if (dots >= conf.ndots() || absolute) {
            List<Answer> found = attempt(name, "", types);
            if (found != null) {
                return found;
            }
            asItIs = last;
            if (absolute) {
                throw failure();
            }
        }
        boolean rootListed = false;
        for (String domain : conf.search()) {
            rootListed |= domain.equals(".");
            List<Answer> found = attempt(name, domain, types);
            if (found != null) {
                return found;
            }
            if (last.reason() == Reason.NO_RECORD) {
                sawNoRecord = true;
            } else if (last.reason() == Reason.SERVER_FAILURE) {
                serverFailure = last;
            } else if (!last.reason().conclusive()) {
                throw new LookupException(host, last.reason(), last.source());
            }
        }
        boolean allowed = dots > 0 || conf.search().isEmpty() || !conf.noTldQuery();
        if (allowed && asItIs == null && !rootListed) {
            List<Answer> found = attempt(name, "", types);
            if (found != null) {
                return found;
            }
        }
        throw failure();
    }

    private LookupException failure() {
        if (asItIs != null) {
            return new LookupException(host, asItIs.reason(), asItIs.source());
        }
        if (sawNoRecord) {
            return new LookupException(host, Reason.NO_RECORD, "");
        }
        Answer reported = serverFailure != null ? serverFailure : last;
        return new LookupException(host, reported.reason(), reported.source());
    }

    /** The answers with records, or null: then {@link #last} is the reason. */
    private List<Answer> attempt(String name, String domain, List<Integer> types) {
        Name full = HostName.absolute(name, domain);
        if (full == null) {
            last = Answer.failed(Reason.BAD_NAME, "");
            return null;
        }
        if (!tried.add(full)) {
            return null; // a domain that is listed twice
        }
        Answer[] answers =
                settings.lookups()
                        .ask(types.stream().map(type -> new Question(full, type)).toList());
        List<Answer> found = Arrays.stream(answers).filter(Answer::found).toList();
        if (found.isEmpty()) {
            last = worst(answers);
            return null;
        }
        return found;
    }

    /** A name that doesn't exist has no record of any type; else what may pass counts. */
    private static Answer worst(Answer[] answers) {
        Answer worst = answers[0];
        for (Answer answer : answers) {
            if (answer.reason() == Reason.NO_SUCH_NAME) {
                return answer;
            }
            if (!answer.conclusive()) {
                worst = answer;
            }
        }
        return worst;
    }
}
