package io.loomuring.tls;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;

import javax.net.ssl.SSLSocketFactory;

/** Makes client sockets, and layers TLS over connected ones. */
final class KtlsSocketFactory extends SSLSocketFactory {
    private final ContextSpi context;

    KtlsSocketFactory(ContextSpi context) {
        this.context = context;
    }

    @Override
    public Socket createSocket() {
        return KtlsSocket.unconnected(context);
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return connected(known(new InetSocketAddress(host, port)), null);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return connected(new InetSocketAddress(host, port), null);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort)
            throws IOException {
        return connected(
                known(new InetSocketAddress(host, port)),
                new InetSocketAddress(localHost, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort)
            throws IOException {
        return connected(
                new InetSocketAddress(host, port), new InetSocketAddress(localHost, localPort));
    }

    @Override
    public Socket createSocket(Socket socket, String host, int port, boolean autoClose)
            throws IOException {
        return KtlsSocket.layered(context, socket, host, port, autoClose);
    }

    @Override
    public Socket createSocket(Socket socket, InputStream consumed, boolean autoClose)
            throws IOException {
        return KtlsSocket.layeredServer(context, socket, consumed, autoClose);
    }

    private static InetSocketAddress known(InetSocketAddress address) throws UnknownHostException {
        if (address.isUnresolved()) {
            throw new UnknownHostException(address.getHostString());
        }
        return address;
    }

    private Socket connected(InetSocketAddress remote, InetSocketAddress local) throws IOException {
        KtlsSocket socket = KtlsSocket.unconnected(context);
        try {
            if (local != null) {
                socket.bind(local);
            }
            socket.connect(remote);
            return socket;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    @Override
    public String[] getDefaultCipherSuites() {
        return context.engineGetDefaultSSLParameters().getCipherSuites();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return context.engineGetSupportedSSLParameters().getCipherSuites();
    }
}
