package io.loomuring;

/** {@code java -jar loom-uring.jar}: what the jar is, and how to use it. */
public final class Main {
    private Main() {}

    private static final String HELP =
            """
            loom-uring: virtual threads on io_uring

              java -javaagent:loom-uring.jar -jar app.jar
                                   run an application on io_uring carriers
              java -jar loom-uring.jar version
                                   print the version
              java -jar loom-uring.jar help
                                   print this
            """;

    /** Exits with 2 on a command that it doesn't know. */
    public static void main(String[] arguments) {
        switch (arguments.length == 0 ? "help" : arguments[0]) {
            case "version" -> System.out.println("loom-uring " + version());
            case "help" -> System.out.print(HELP);
            default -> {
                System.err.println("unknown command " + arguments[0]);
                System.err.print(HELP);
                System.exit(2);
            }
        }
    }

    private static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(development)" : version;
    }
}
