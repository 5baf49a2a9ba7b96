package io.loomuring.file;

import io.loomuring.net.ThreadKind;

import org.junit.jupiter.params.provider.Arguments;

import java.io.IOException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.util.Set;
import java.util.stream.Stream;

/** Whose file a test is about. The JDK's is the oracle: what holds for ours holds for it. */
enum Kind {
    OURS {
        @Override
        RingFile open(Path path, Set<OpenOption> options, FileAttribute<?>... attributes)
                throws IOException {
            RingFile file = RingFile.open(path, options, attributes);
            if (!(file instanceof UringFile)) {
                throw new AssertionError("not on a ring: " + file);
            }
            return file;
        }
    },
    JDK {
        @Override
        RingFile open(Path path, Set<OpenOption> options, FileAttribute<?>... attributes)
                throws IOException {
            return JdkFile.open(path, OpenMode.of(options), options, attributes);
        }
    };

    abstract RingFile open(Path path, Set<OpenOption> options, FileAttribute<?>... attributes)
            throws IOException;

    RingFile open(Path path, OpenOption... options) throws IOException {
        return open(path, Set.of(options));
    }

    /** (kind, thread): ours with every kind of thread, the JDK's with its own kinds. */
    static Stream<Arguments> andThreads() {
        return Stream.of(values())
                .flatMap(kind ->
                        Stream.of(ThreadKind.values())
                                .filter(thread -> kind == OURS || thread != ThreadKind.VIRTUAL)
                                .map(thread -> Arguments.of(kind, thread)));
    }
}
