package io.loomuring.jdk;

import static java.lang.constant.ConstantDescs.CD_MethodHandle;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import io.loomuring.jdk.JdkInternals.UnsupportedJdkException;
import io.loomuring.jdk.Redefinition.Prologue;

import sun.nio.ch.FileChannelImpl;
import sun.nio.ch.IOStatus;
import sun.nio.ch.SelChImpl;
import sun.nio.ch.Streams;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.HashMap;
import java.util.Map;

/**
 * Gives channels of ours what the JDK gives its own {@code SocketChannelImpl} alone: {@code
 * sendfile(2)}, and streams that read and write at the same time. Four methods get a prologue:
 *
 * <pre>
 *     FileChannelImpl.transferToDirectInternal(long position, int count, WritableByteChannel target)
 *         if (target instanceof SelChImpl) {
 *             long n = bridge.transfer.invokeExact(this, position, count, target);
 *             if (n != UNSUPPORTED_CASE) return n;
 *         }
 *
 *     Streams.of(ReadableByteChannel channel), Streams.of(WritableByteChannel channel)
 *         if (channel instanceof SelChImpl) {
 *             InputStream stream = bridge.input.invokeExact(channel);   // or output
 *             if (stream != null) return stream;
 *         }
 *
 *     ChannelInputStream.transferTo(OutputStream out)
 *         if (ch instanceof FileChannel) {
 *             WritableByteChannel channel = bridge.behind.invokeExact(out);
 *             if (channel != null) out = new ChannelOutputStream(channel);
 *         }
 * </pre>
 *
 * Why, and what it costs: 007-channel-hook in docs/decisions.
 */
public final class ChannelHook {
    private ChannelHook() {}

    /** What {@link Ours#transfer} returns if the JDK is to find another way. */
    public static final long UNSUPPORTED = IOStatus.UNSUPPORTED_CASE;

    /** What the JDK asks first; null, or {@link #UNSUPPORTED}, if it is none of ours. */
    public interface Ours {
        /** Sends a part of a file, as {@code FileChannel.transferTo}; returns bytes sent. */
        long transfer(FileChannel file, long position, int count, WritableByteChannel target)
                throws IOException;

        /** What {@code Channels.newInputStream} returns. */
        InputStream input(ReadableByteChannel channel);

        /** What {@code Channels.newOutputStream} returns. */
        OutputStream output(WritableByteChannel channel);

        /** The channel that a stream writes to. */
        WritableByteChannel behind(OutputStream stream);
    }

    private static final String TRANSFER = "transferToDirectInternal";
    private static final String STREAM_OF = "of";
    private static final String TRANSFER_TO = "transferTo";
    private static final String INPUT_STREAM = "sun.nio.ch.ChannelInputStream";
    private static final String INPUT_STREAMS_CHANNEL = "ch";

    private static final ClassDesc CD_BRIDGE = ClassDesc.of("sun.nio.ch.LoomUringChannels");
    private static final ClassDesc CD_SELECTABLE = describe(SelChImpl.class);
    private static final ClassDesc CD_FILE = describe(FileChannel.class);
    private static final ClassDesc CD_READABLE = describe(ReadableByteChannel.class);
    private static final ClassDesc CD_WRITABLE = describe(WritableByteChannel.class);
    private static final ClassDesc CD_INPUT = describe(InputStream.class);
    private static final ClassDesc CD_OUTPUT = describe(OutputStream.class);
    private static final ClassDesc CD_INPUT_STREAM = ClassDesc.of(INPUT_STREAM);
    private static final ClassDesc CD_OUTPUT_STREAM =
            ClassDesc.of("sun.nio.ch.ChannelOutputStream");

    private static ClassDesc describe(Class<?> type) {
        return ClassDesc.of(type.getName());
    }

    /**
     * Checks that the methods have the shape of JDK 25.
     *
     * @throws UnsupportedJdkException if not
     */
    public static void check() throws UnsupportedJdkException {
        Class<?> readable = ReadableByteChannel.class;
        Class<?> writable = WritableByteChannel.class;
        Class<?> stream = Redefinition.find(INPUT_STREAM);
        Redefinition.checkMethod(
                FileChannelImpl.class, long.class, TRANSFER, long.class, int.class, writable);
        Redefinition.checkMethod(Streams.class, InputStream.class, STREAM_OF, readable);
        Redefinition.checkMethod(Streams.class, OutputStream.class, STREAM_OF, writable);
        Redefinition.checkMethod(stream, long.class, TRANSFER_TO, OutputStream.class);
        Redefinition.checkField(stream, readable, INPUT_STREAMS_CHANNEL);
        FileTransfers.check();
    }

    /**
     * Asks {@code ours} first, from now on.
     *
     * @throws UnsupportedJdkException if the JVM refuses; then nothing has changed
     */
    public static void install(Ours ours) throws UnsupportedJdkException {
        if (JdkInternals.isRecordingCache()) {
            return; // the JVM can't assemble the cache if one of its own classes was redefined
        }
        try {
            byte[] fileChannel =
                    Redefinition.withPrologues(
                            FileChannelImpl.class,
                            new Prologue(
                                    TRANSFER,
                                    MethodTypeDesc.of(CD_long, CD_long, CD_int, CD_WRITABLE),
                                    ChannelHook::transfer));
            byte[] streams =
                    Redefinition.withPrologues(
                            Streams.class,
                            new Prologue(
                                    STREAM_OF,
                                    MethodTypeDesc.of(CD_INPUT, CD_READABLE),
                                    code -> stream(code, "input", CD_INPUT, CD_READABLE)),
                            new Prologue(
                                    STREAM_OF,
                                    MethodTypeDesc.of(CD_OUTPUT, CD_WRITABLE),
                                    code -> stream(code, "output", CD_OUTPUT, CD_WRITABLE)));
            byte[] inputStream =
                    Redefinition.withPrologues(
                            Redefinition.find(INPUT_STREAM),
                            new Prologue(
                                    TRANSFER_TO,
                                    MethodTypeDesc.of(CD_long, CD_OUTPUT),
                                    ChannelHook::behind));
            Redefinition.defineBridge(CD_BRIDGE, MethodHandle.class, handles(ours));
            JdkInternals.redefine(
                    new Class<?>[] {
                        FileChannelImpl.class, Streams.class, Redefinition.find(INPUT_STREAM)
                    },
                    new byte[][] {fileChannel, streams, inputStream});
        } catch (ReflectiveOperationException
                | IOException
                | IllegalArgumentException
                | LinkageError e) {
            throw new UnsupportedJdkException("java.nio's classes can't be redefined: " + e, e);
        }
    }

    /** Each method of {@link Ours} by its name. */
    private static Map<String, MethodHandle> handles(Ours ours) throws IllegalAccessException {
        var handles = new HashMap<String, MethodHandle>();
        for (var method : Ours.class.getDeclaredMethods()) {
            handles.put(method.getName(), MethodHandles.lookup().unreflect(method).bindTo(ours));
        }
        return handles;
    }

    private static void transfer(CodeBuilder code) {
        int position = code.parameterSlot(0);
        int count = code.parameterSlot(1);
        int target = code.parameterSlot(2);
        code.aload(target)
                .instanceOf(CD_SELECTABLE)
                .ifThen(ask -> {
                    int n = ask.allocateLocal(TypeKind.LONG);
                    ask.getstatic(CD_BRIDGE, "transfer", CD_MethodHandle)
                            .aload(code.receiverSlot())
                            .lload(position)
                            .iload(count)
                            .aload(target);
                    invoke(ask, CD_long, CD_FILE, CD_long, CD_int, CD_WRITABLE)
                            .lstore(n)
                            .lload(n)
                            .loadConstant(UNSUPPORTED)
                            .lcmp()
                            .ifThen(answer -> answer.lload(n).lreturn());
                });
    }

    private static void stream(
            CodeBuilder code, String handle, ClassDesc stream, ClassDesc channel) {
        int given = code.parameterSlot(0);
        code.aload(given)
                .instanceOf(CD_SELECTABLE)
                .ifThen(ask -> {
                    int made = ask.allocateLocal(TypeKind.REFERENCE);
                    ask.getstatic(CD_BRIDGE, handle, CD_MethodHandle).aload(given);
                    invoke(ask, stream, channel)
                            .astore(made)
                            .aload(made)
                            .ifThen(Opcode.IFNONNULL, answer -> answer.aload(made).areturn());
                });
    }

    private static void behind(CodeBuilder code) {
        int out = code.parameterSlot(0);
        code.aload(code.receiverSlot())
                .getfield(CD_INPUT_STREAM, INPUT_STREAMS_CHANNEL, CD_READABLE)
                .instanceOf(CD_FILE)
                .ifThen(ask -> {
                    int channel = ask.allocateLocal(TypeKind.REFERENCE);
                    ask.getstatic(CD_BRIDGE, "behind", CD_MethodHandle).aload(out);
                    invoke(ask, CD_WRITABLE, CD_OUTPUT)
                            .astore(channel)
                            .aload(channel)
                            .ifThen(
                                    Opcode.IFNONNULL,
                                    wrap ->
                                            wrap.new_(CD_OUTPUT_STREAM)
                                                    .dup()
                                                    .aload(channel)
                                                    .invokespecial(
                                                            CD_OUTPUT_STREAM,
                                                            "<init>",
                                                            MethodTypeDesc.of(CD_void, CD_WRITABLE))
                                                    .astore(out));
                });
    }

    private static CodeBuilder invoke(
            CodeBuilder code, ClassDesc returns, ClassDesc... parameters) {
        return code.invokevirtual(
                CD_MethodHandle, "invokeExact", MethodTypeDesc.of(returns, parameters));
    }
}
