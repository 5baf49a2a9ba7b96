/**
 * Tests in containers, run by {@code it/bin/containers}: {@link io.loomuring.it.containers.Engine}
 * on each class, {@link io.loomuring.it.containers.Jvm} for our JVMs, {@link
 * io.loomuring.it.containers.LocalContainer} for peers, {@link io.loomuring.it.containers.Seccomp}
 * for profiles. Start reading at {@code Jvm}.
 */
package io.loomuring.it.containers;
