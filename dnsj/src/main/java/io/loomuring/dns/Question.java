package io.loomuring.dns;

import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

/**
 * What is asked, in class IN. Equal whatever the case of the name.
 *
 * @param name absolute
 * @param type of {@link Type}
 */
record Question(Name name, int type) {
    @Override
    public String toString() {
        return name + " " + Type.string(type);
    }
}
