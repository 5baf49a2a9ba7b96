/**
 * TLS by Conscrypt behind ordinary {@code SSLSocket}s, whose traffic keys can be had and proved.
 * Owns the provider {@code LoomUringTLS}; its sockets drive a Conscrypt engine record by record
 * over a plain {@code Socket}. Any thread may call; a caller that waits parks in the plain socket.
 * May import Conscrypt and the JDK's public API; Conscrypt's internals are named in {@code
 * ConscryptInternals} and {@code NativeRecords} alone. Start reading at {@code TlsConnection}.
 */
package io.loomuring.tls;
