package io.loomuring.tls;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;

import javax.net.ssl.HandshakeCompletedEvent;
import javax.net.ssl.HandshakeCompletedListener;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * What an application sees of a {@link TlsConnection}. Before the handshake it is settings: an
 * engine that takes them, made anew when the peer's name becomes known.
 */
final class KtlsSocket extends LayeredSocket {
    private final ContextSpi context;
    private final boolean autoClose;
    private final InputStream consumed; // bytes of the peer's that were read before, or null
    private final List<HandshakeCompletedListener> listeners = new ArrayList<>(); // guarded by it
    private final Object setupLock = new Object();
    private String host; // of the peer; null: not known. guarded by setupLock
    private int port = -1; // guarded by setupLock
    private SSLEngine engine; // null until somebody asks; guarded by setupLock
    private volatile TlsConnection connection; // null until the first I/O; set under setupLock
    private boolean inputShutdown; // guarded by setupLock
    private InputStream input; // guarded by setupLock
    private OutputStream output; // guarded by setupLock

    private KtlsSocket(ContextSpi context, Socket socket, InputStream consumed, boolean autoClose) {
        super(socket);
        this.context = context;
        this.consumed = consumed;
        this.autoClose = autoClose;
    }

    static KtlsSocket unconnected(ContextSpi context) {
        return new KtlsSocket(context, new Socket(), null, true);
    }

    static KtlsSocket layered(
            ContextSpi context, Socket socket, String host, int port, boolean autoClose)
            throws SocketException {
        var layered = new KtlsSocket(context, connected(socket), null, autoClose);
        layered.host = host;
        layered.port = port;
        return layered;
    }

    static KtlsSocket layeredServer(
            ContextSpi context, Socket socket, InputStream consumed, boolean autoClose)
            throws SocketException {
        var layered = new KtlsSocket(context, connected(socket), consumed, autoClose);
        layered.setUseClientMode(false);
        return layered;
    }

    static KtlsSocket accepted(ContextSpi context, Socket socket, SSLEngine engine) {
        var accepted = new KtlsSocket(context, socket, null, true);
        accepted.engine = engine;
        return accepted;
    }

    private static Socket connected(Socket socket) throws SocketException {
        if (!socket.isConnected()) {
            throw new SocketException("Underlying socket is not connected");
        }
        return socket;
    }

    // ---- settings ----

    private SSLEngine engine() {
        synchronized (setupLock) {
            if (engine == null) {
                engine = context.engineCreateSSLEngine(host, port);
                engine.setUseClientMode(true);
            }
            return engine;
        }
    }

    @Override
    public void connect(SocketAddress endpoint) throws IOException {
        connect(endpoint, 0);
    }

    @Override
    public void connect(SocketAddress endpoint, int timeout) throws IOException {
        socket.connect(endpoint, timeout);
        if (endpoint instanceof InetSocketAddress address) {
            synchronized (setupLock) {
                host = address.getHostString();
                port = address.getPort();
                if (engine != null) {
                    SSLEngine before = engine;
                    engine = context.engineCreateSSLEngine(host, port);
                    EngineSettings.copy(before, engine);
                    before.closeOutbound(); // gives its native memory back
                }
            }
        }
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return engine().getSupportedCipherSuites();
    }

    @Override
    public String[] getEnabledCipherSuites() {
        return engine().getEnabledCipherSuites();
    }

    @Override
    public void setEnabledCipherSuites(String[] suites) {
        engine().setEnabledCipherSuites(suites);
    }

    @Override
    public String[] getSupportedProtocols() {
        return engine().getSupportedProtocols();
    }

    @Override
    public String[] getEnabledProtocols() {
        return engine().getEnabledProtocols();
    }

    @Override
    public void setEnabledProtocols(String[] protocols) {
        engine().setEnabledProtocols(protocols);
    }

    @Override
    public void setUseClientMode(boolean mode) {
        engine().setUseClientMode(mode);
    }

    @Override
    public boolean getUseClientMode() {
        return engine().getUseClientMode();
    }

    @Override
    public void setNeedClientAuth(boolean need) {
        engine().setNeedClientAuth(need);
    }

    @Override
    public boolean getNeedClientAuth() {
        return engine().getNeedClientAuth();
    }

    @Override
    public void setWantClientAuth(boolean want) {
        engine().setWantClientAuth(want);
    }

    @Override
    public boolean getWantClientAuth() {
        return engine().getWantClientAuth();
    }

    @Override
    public void setEnableSessionCreation(boolean flag) {
        engine().setEnableSessionCreation(flag);
    }

    @Override
    public boolean getEnableSessionCreation() {
        return engine().getEnableSessionCreation();
    }

    @Override
    public SSLParameters getSSLParameters() {
        return engine().getSSLParameters();
    }

    @Override
    public void setSSLParameters(SSLParameters parameters) {
        engine().setSSLParameters(parameters);
    }

    @Override
    public String getApplicationProtocol() {
        return engine().getApplicationProtocol();
    }

    @Override
    public String getHandshakeApplicationProtocol() {
        return engine().getHandshakeApplicationProtocol();
    }

    private BiFunction<SSLSocket, List<String>, String> selector; // guarded by setupLock

    @Override
    public void setHandshakeApplicationProtocolSelector(
            BiFunction<SSLSocket, List<String>, String> selector) {
        synchronized (setupLock) {
            this.selector = selector;
            engine().setHandshakeApplicationProtocolSelector(
                            selector == null
                                    ? null
                                    : (_, protocols) -> selector.apply(this, protocols));
        }
    }

    @Override
    public BiFunction<SSLSocket, List<String>, String> getHandshakeApplicationProtocolSelector() {
        synchronized (setupLock) {
            return selector;
        }
    }

    // ---- handshake and session ----

    private TlsConnection connection() throws IOException {
        TlsConnection present = connection;
        if (present != null) {
            return present;
        }
        synchronized (setupLock) {
            if (connection == null) {
                checkConnected();
                InputStream in = socket.getInputStream();
                SSLEngine own = engine();
                connection =
                        new TlsConnection(
                                this,
                                socket,
                                consumed == null ? in : new SequenceInputStream(consumed, in),
                                own,
                                autoClose,
                                !autoClose || consumed != null);
            }
            return connection;
        }
    }

    private void checkConnected() throws SocketException {
        if (isClosed()) {
            throw new SocketException("Socket is closed");
        }
        if (!isConnected()) {
            throw new SocketException("Socket is not connected");
        }
    }

    /** Shakes hands if that isn't done, and tells the listeners. */
    private TlsConnection ready() throws IOException {
        TlsConnection present = connection();
        if (!present.isOpen() && present.handshake()) {
            tellListeners();
        }
        return present;
    }

    @Override
    public void startHandshake() throws IOException {
        ready();
    }

    /** Each handshake's listeners have a thread, as JSSE's have. */
    private void tellListeners() {
        List<HandshakeCompletedListener> told;
        synchronized (listeners) {
            if (listeners.isEmpty()) {
                return;
            }
            told = List.copyOf(listeners);
        }
        var event = new HandshakeCompletedEvent(this, engine().getSession());
        Thread.ofVirtual()
                .name("HandshakeCompletedNotify-Thread")
                .start(() -> told.forEach(listener -> listener.handshakeCompleted(event)));
    }

    @Override
    public void addHandshakeCompletedListener(HandshakeCompletedListener listener) {
        if (listener == null) {
            throw new IllegalArgumentException("listener is null");
        }
        synchronized (listeners) {
            listeners.add(listener);
        }
    }

    @Override
    public void removeHandshakeCompletedListener(HandshakeCompletedListener listener) {
        synchronized (listeners) {
            if (!listeners.remove(listener)) {
                throw new IllegalArgumentException("listener not registered");
            }
        }
    }

    @Override
    public SSLSession getSession() {
        try {
            ready();
        } catch (IOException e) {
            // then the session is the one of no handshake, as JSSE has it
        }
        return engine().getSession();
    }

    @Override
    public SSLSession getHandshakeSession() {
        return engine().getHandshakeSession();
    }

    /** What is known about the keys of this connection; null where they are not captured. */
    KeyCapture capture() {
        TlsConnection present = connection;
        return present == null ? null : present.capture();
    }

    /** Who does the records of a direction; null: not settled. */
    OffloadOutcome offloadOutcome(KeyCapture.Direction direction) {
        TlsConnection present = connection;
        return present == null ? null : present.offloadOutcome(direction);
    }

    /** For tests: what the kernel does. */
    TlsConnection present() {
        return connection;
    }

    /** As {@link Ktls#transferTo}, but may send less. */
    long transferFrom(FileChannel file, long position, long count) throws IOException {
        return ready().transferFrom(file, position, count);
    }

    // ---- streams ----

    @Override
    public InputStream getInputStream() throws IOException {
        synchronized (setupLock) {
            checkConnected();
            if (isInputShutdown()) {
                throw new SocketException("Socket input is already shutdown");
            }
            if (input == null) {
                input = new Input();
            }
            return input;
        }
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        synchronized (setupLock) {
            checkConnected();
            if (isOutputShutdown()) {
                throw new SocketException("Socket output is already shutdown");
            }
            if (output == null) {
                output = new Output();
            }
            return output;
        }
    }

    private final class Input extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, target.length);
            return length == 0 ? 0 : ready().read(target, offset, length);
        }

        @Override
        public int available() throws IOException {
            TlsConnection present = connection();
            return present.isOpen() ? present.available() : 0;
        }

        @Override
        public void close() throws IOException {
            KtlsSocket.this.close();
        }
    }

    private final class Output extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] source, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, source.length);
            ready().write(source, offset, length);
        }

        @Override
        public void close() throws IOException {
            KtlsSocket.this.close();
        }
    }

    // ---- the end ----

    @Override
    public void close() throws IOException {
        TlsConnection present;
        synchronized (setupLock) {
            present = connection;
            if (present == null && engine != null) {
                engine.closeOutbound(); // never shook hands: gives its native memory back
            }
        }
        if (present != null) {
            present.close();
        } else {
            unused = true;
            if (autoClose) {
                socket.close();
            }
        }
    }

    private volatile boolean unused; // closed before the first I/O

    @Override
    public boolean isClosed() {
        TlsConnection present = connection;
        return unused || socket.isClosed() || (present != null && present.isClosed());
    }

    @Override
    public void shutdownOutput() throws IOException {
        checkConnected();
        ready().shutdownOutput();
    }

    /** As JSSE: a peer that has not said close_notify might have been cut off. */
    @Override
    public void shutdownInput() throws IOException {
        checkConnected();
        synchronized (setupLock) {
            inputShutdown = true;
        }
        TlsConnection present = connection;
        if (autoClose) {
            socket.shutdownInput();
        }
        if (present != null && present.isOpen() && !present.isInputEnded()) {
            throw new SSLException("closing inbound before receiving peer's close_notify");
        }
    }

    @Override
    public boolean isInputShutdown() {
        synchronized (setupLock) {
            return inputShutdown;
        }
    }

    @Override
    public boolean isOutputShutdown() {
        TlsConnection present = connection;
        return present != null && present.isOutputClosed();
    }

    @Override
    public String toString() {
        return "LoomUringTLS" + socket;
    }
}
