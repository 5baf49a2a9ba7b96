package io.loomuring.it.soak;

import java.io.File;

/** Folders that are not JUnit's to delete. */
final class Folders {
    private Folders() {}

    /** With all that is in it. */
    static void delete(File file) {
        File[] members = file.listFiles();
        if (members != null) {
            for (File member : members) {
                delete(member);
            }
        }
        if (!file.delete()) {
            throw new IllegalStateException(file + " can't be deleted");
        }
    }
}
