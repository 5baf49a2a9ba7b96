package io.loomuring.dns;

import io.loomuring.dns.LookupException.Reason;

import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/**
 * What became of a question.
 *
 * @param reason null: there are records
 * @param records those asked for, owned by the end of the chain of aliases; empty with a reason
 * @param ttlSeconds how long it may be kept, 0: not at all
 * @param source who said so, for people
 */
record Answer(Reason reason, List<Record> records, long ttlSeconds, String source) {

    /** More aliases in a row are taken for an attack; servers of our time follow 12 to 17. */
    private static final int ALIASES_MAX = 16;

    private static final long TTL_MAX = 0x7fff_ffffL; // RFC 2181, section 8

    static Answer failed(Reason reason, String source) {
        return new Answer(reason, List.of(), 0, source);
    }

    boolean found() {
        return reason == null;
    }

    /** Whether it is an answer of the name system, and not the lack of one. */
    boolean conclusive() {
        return found() || reason.conclusive();
    }

    /**
     * Reads a message that was checked to answer this question. Only records that the chain from
     * the name asked for leads to count; what else a message brings is not looked at.
     */
    static Answer of(Question question, Message message, String source) {
        int rcode = message.getRcode();
        if (rcode != Rcode.NOERROR && rcode != Rcode.NXDOMAIN) {
            return failed(
                    rcode == Rcode.REFUSED ? Reason.REFUSED : Reason.SERVER_FAILURE,
                    source + " says " + Rcode.string(rcode));
        }
        List<Record> section = message.getSection(Section.ANSWER);
        Name owner = question.name();
        long ttl = TTL_MAX;
        var seen = new HashSet<Name>();
        while (true) {
            if (!seen.add(owner) || seen.size() > ALIASES_MAX + 1) {
                return failed(Reason.BAD_ANSWER, "endless aliases from " + source);
            }
            List<Record> records = owned(section, owner, question.type());
            if (!records.isEmpty() && rcode == Rcode.NOERROR) {
                for (Record record : records) {
                    ttl = Math.min(ttl, ttl(record));
                }
                return question.type() == Type.PTR && !areHostNames(records)
                        ? failed(Reason.BAD_ANSWER, "not a name of a host, from " + source)
                        : new Answer(null, records, ttl, source);
            }
            List<Record> aliases = owned(section, owner, Type.CNAME);
            if (aliases.isEmpty()) {
                break;
            }
            ttl = Math.min(ttl, ttl(aliases.getFirst()));
            owner = ((CNAMERecord) aliases.getFirst()).getTarget();
            boolean forAddresses = question.type() == Type.A || question.type() == Type.AAAA;
            if (forAddresses && !HostName.isHostName(owner)) {
                return failed(Reason.BAD_ANSWER, "an alias for no name of a host, from " + source);
            }
        }
        if (isReferral(message)) {
            return failed(Reason.SERVER_FAILURE, source + " only refers to other servers");
        }
        return new Answer(
                rcode == Rcode.NXDOMAIN ? Reason.NO_SUCH_NAME : Reason.NO_RECORD,
                List.of(),
                Math.min(ttl, negativeTtl(message, owner)),
                source);
    }

    private static List<Record> owned(List<Record> section, Name owner, int type) {
        var records = new ArrayList<Record>();
        for (Record record : section) {
            if (record.getType() == type
                    && record.getDClass() == DClass.IN
                    && record.getName().equals(owner)
                    && !records.contains(record)) {
                records.add(record);
            }
        }
        return records;
    }

    private static boolean areHostNames(List<Record> pointers) {
        return pointers.stream().allMatch(p -> HostName.isHostName(((PTRRecord) p).getTarget()));
    }

    /** One with the highest bit set counts as 0. */
    private static long ttl(Record record) {
        long ttl = record.getTTL();
        return ttl < 0 || ttl > TTL_MAX ? 0 : ttl;
    }

    /** RFC 2308, section 5: from the zone's SOA, and none without one. */
    private static long negativeTtl(Message message, Name name) {
        for (Record record : message.getSection(Section.AUTHORITY)) {
            if (record instanceof SOARecord soa && name.subdomain(soa.getName())) {
                return Math.min(ttl(soa), soa.getMinimum());
            }
        }
        return 0;
    }

    /** Neither an answer nor recursion: as glibc's send_dg, such a server is no use. */
    private static boolean isReferral(Message message) {
        return message.getRcode() == Rcode.NOERROR
                && message.getSection(Section.ANSWER).isEmpty()
                && !message.getHeader().getFlag(Flags.AA)
                && !message.getHeader().getFlag(Flags.RA)
                && message.getSection(Section.AUTHORITY).stream()
                        .anyMatch(record -> record.getType() == Type.NS);
    }
}
