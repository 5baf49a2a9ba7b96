package io.loomuring.it.program;

import com.sun.jna.Library;
import com.sun.jna.Native;

/** Uses a JNA of its own, prints its version, and goes on as {@link SwitchProbe}. */
public final class JnaProbe {
    private JnaProbe() {}

    /** Of the C library. */
    public interface C extends Library {
        int getpid();
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println("jna=" + Native.VERSION);
        C c = Native.loadLibrary("c", C.class);
        System.out.println("works=" + (c.getpid() == ProcessHandle.current().pid()));
        SwitchProbe.main(arguments);
    }
}
