package io.loomuring.dns;

import java.util.ArrayList;
import java.util.List;

/**
 * What is in force, as of one moment.
 *
 * @param lookups to the servers of {@code resolv}; lives on while only the other files change
 */
record Settings(ResolvConf resolv, HostsFile hosts, NsSwitch nsSwitch, Lookups lookups) {
    List<String> notes() {
        var notes = new ArrayList<String>(resolv.notes());
        notes.addAll(hosts.notes());
        notes.addAll(nsSwitch.notes());
        return notes;
    }
}
