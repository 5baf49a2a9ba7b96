package io.loomuring;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** {@code java -jar loom-uring.jar}: the commands; nothing else loads the option parser. */
@Command(
        name = "java -jar loom-uring.jar",
        usageHelpAutoWidth = true,
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        subcommands = HelpCommand.class,
        description = {
            "Virtual threads on io_uring. To run an application on them, without changing it:",
            "",
            "  java -javaagent:loom-uring.jar -jar app.jar",
            ""
        },
        commandListHeading = "%nCommands:%n")
public final class Main implements Runnable {
    private Main() {}

    /** Exits with 2 on a command that it doesn't know. */
    public static void main(String[] arguments) {
        var commands = new CommandLine(new Main());
        commands.getCommandSpec().version(titleAndVersion());
        System.exit(commands.execute(arguments));
    }

    @Override
    public void run() {
        CommandLine.usage(this, System.out);
    }

    /** Returns the exit code. */
    @Command(
            name = "doctor",
            description = {
                "Tell what this machine allows, why not, and what to do about it.",
                "Exits with 0 if virtual threads can run on io_uring, else with 1."
            })
    int doctor(@Option(names = "--json", description = "For programs: as JSON.") boolean json) {
        Diagnosis diagnosis = Doctor.examine(version());
        System.out.print(json ? diagnosis.toJson() : diagnosis.toTable());
        return diagnosis.canRun() ? 0 : 1;
    }

    @Command(name = "version", description = "Print the version.")
    void printVersion() {
        System.out.println(titleAndVersion());
    }

    private static String titleAndVersion() {
        return "loom-uring " + version();
    }

    private static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(development)" : version;
    }
}
