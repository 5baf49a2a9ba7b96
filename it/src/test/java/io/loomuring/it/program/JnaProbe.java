package io.loomuring.it.program;

import com.sun.jna.Library;
import com.sun.jna.Native;

import java.net.URL;

/** Uses a JNA of its own, prints its jar, and goes on as {@link SwitchProbe}. */
public final class JnaProbe {
    private JnaProbe() {}

    /** Of the C library. */
    public interface C extends Library {
        int getpid();
    }

    public static void main(String[] arguments) throws Exception {
        URL jar = Native.class.getProtectionDomain().getCodeSource().getLocation();
        System.out.println("jna=" + jar.getPath());
        C c = Native.loadLibrary("c", C.class);
        System.out.println("works=" + (c.getpid() == ProcessHandle.current().pid()));
        SwitchProbe.main(arguments);
    }
}
