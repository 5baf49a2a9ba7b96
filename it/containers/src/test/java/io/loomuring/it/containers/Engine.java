package io.loomuring.it.containers;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.dockerjava.api.exception.NotFoundException;

import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.testcontainers.DockerClientFactory;

/**
 * On each class of container tests, {@code @ExtendWith(Engine.class)}: they need an engine that
 * answers and has the image, as {@code it/bin/containers} sets them up. Else they are skipped, or
 * with {@code containers.required=true} they fail.
 */
final class Engine implements BeforeAllCallback {
    /** Debian with the peers that tests need: see {@code it/src/main/bash/engine.bash}. */
    static final String IMAGE = System.getProperty("containers.image");

    private static final boolean REQUIRED = Boolean.getBoolean("containers.required");
    private static final String REMEDY = ": run the tests by it/bin/containers";

    @Override
    public void beforeAll(ExtensionContext context) {
        check(
                DockerClientFactory.instance().isDockerAvailable(),
                "no Docker engine answers" + REMEDY);
        check(hasImage(), "the engine has no image " + IMAGE + REMEDY);
    }

    private static boolean hasImage() {
        try {
            DockerClientFactory.lazyClient().inspectImageCmd(IMAGE).exec();
            return true;
        } catch (NotFoundException e) {
            return false;
        }
    }

    private static void check(boolean condition, String complaint) {
        if (REQUIRED && !condition) {
            throw new AssertionError(complaint);
        }
        assumeTrue(condition, complaint);
    }
}
