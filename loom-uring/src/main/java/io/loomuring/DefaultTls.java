package io.loomuring;

import java.security.Provider;
import java.security.Security;

/** {@code loomuring.tls=default}: the provider of conscrypt-ktls.jar becomes the first one. */
final class DefaultTls {
    private DefaultTls() {}

    private static final String PROVIDER = "io.loomuring.tls.KtlsProvider";
    private static final String PROVIDER_NAME = "LoomUringTLS";

    /**
     * Puts it before all others, unless it is among them already.
     *
     * @throws IllegalArgumentException if its jar is not on the class path, or doesn't work here
     */
    static void install() {
        if (Security.getProvider(PROVIDER_NAME) != null) {
            return;
        }
        try {
            Class<?> provider = Class.forName(PROVIDER, true, ClassLoader.getSystemClassLoader());
            Security.insertProviderAt(
                    (Provider) provider.getDeclaredConstructor().newInstance(), 1);
        } catch (ClassNotFoundException e) {
            throw unusable("conscrypt-ktls.jar is not on the class path: add it", e);
        } catch (ReflectiveOperationException | LinkageError e) {
            throw unusable("conscrypt-ktls.jar does not work here: " + e, e);
        }
    }

    private static IllegalArgumentException unusable(String message, Throwable cause) {
        return new IllegalArgumentException(
                "property loomuring.tls is \"default\", but " + message, cause);
    }
}
