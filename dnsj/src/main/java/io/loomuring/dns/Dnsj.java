package io.loomuring.dns;

import static java.net.spi.InetAddressResolver.LookupPolicy.IPV4;
import static java.net.spi.InetAddressResolver.LookupPolicy.IPV4_FIRST;
import static java.net.spi.InetAddressResolver.LookupPolicy.IPV6;
import static java.net.spi.InetAddressResolver.LookupPolicy.IPV6_FIRST;

import io.loomuring.dns.LookupException.Reason;
import io.loomuring.dns.NsSwitch.Source;
import io.loomuring.dns.NsSwitch.Status;

import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.ReverseMap;
import org.xbill.DNS.Type;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.net.spi.InetAddressResolver.LookupPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Looks names up: in the files that glibc reads, and by DNS. A look-up blocks the thread that calls
 * and no other; on a virtual thread it parks. It can't be interrupted, as none in Java can, and
 * takes as long as resolv.conf(5) allows at most.
 *
 * <p>Any thread may call; one instance serves a whole program.
 */
public final class Dnsj implements AutoCloseable {
    private static final Duration ORDER_KEPT = Duration.ofSeconds(1);
    private static final int ORDERS_MAX = 1024;

    private final Counters counters = new Counters();
    private final AnswerCache.Limits cacheLimits;
    private final Builder options;
    private final String localDomain;
    private final String resOptions;
    private final String hostName;
    private final SettingsFiles files;
    private final ConcurrentHashMap<List<InetAddress>, Order> orders = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /** What {@link AddressOrder} has found, which costs a socket an address. */
    private record Order(List<InetAddress> sorted, long foundNanos) {}

    private Dnsj(Builder builder) throws IOException {
        options = builder.copy();
        cacheLimits =
                new AnswerCache.Limits(
                        options.cacheSize,
                        options.ttlMin,
                        options.ttlMax,
                        options.negativeTtlMax,
                        options.stale);
        localDomain = options.environment ? System.getenv("LOCALDOMAIN") : null;
        resOptions = options.environment ? System.getenv("RES_OPTIONS") : null;
        hostName = MyHostName.read();
        files =
                new SettingsFiles(
                        options.resolvConf,
                        options.hosts,
                        options.nsSwitch,
                        options.reload,
                        this::settings,
                        counters);
    }

    /** With the settings of this machine's files and environment, to be changed one by one. */
    public static Builder builder() {
        return new Builder();
    }

    private Settings settings(String resolv, String hosts, String nsSwitch, Settings previous)
            throws IOException {
        options.requireNamedFiles();
        ResolvConf conf =
                options.applyTo(
                        ResolvConf.parse(resolv, localDomain, resOptions, hostName, options.port));
        Lookups lookups;
        if (previous != null && conf.equals(previous.resolv())) {
            lookups = previous.lookups();
        } else {
            // Other servers may give other answers: nothing is kept. Questions that are on their
            // way end with the old ones.
            lookups =
                    new Lookups(
                            new Upstream(
                                    conf,
                                    options.concurrency,
                                    options.randomCase,
                                    options.edns,
                                    counters),
                            new AnswerCache(cacheLimits, System::nanoTime, counters),
                            counters);
            if (previous != null) {
                previous.lookups().close();
            }
        }
        return new Settings(
                conf,
                options.useHosts ? HostsFile.parse(hosts) : HostsFile.EMPTY,
                NsSwitch.parse(nsSwitch),
                lookups);
    }

    // ---- addresses of a name ----

    /**
     * The addresses of a host, the one to try first in front (RFC 6724).
     *
     * @throws LookupException if there are none; it says why
     */
    public List<InetAddress> addresses(String host) throws LookupException {
        return addresses(host, LookupPolicy.of(IPV4 | IPV6));
    }

    /**
     * The addresses of a host of the families, and in the order of them, that the policy says;
     * those of a family in the order of RFC 6724.
     *
     * @throws LookupException if there are none; it says why
     */
    public List<InetAddress> addresses(String host, LookupPolicy policy) throws LookupException {
        Settings settings = begin();
        InetAddress literal = literal(host);
        if (literal != null) {
            return List.of(literal);
        }
        String name = HostName.toAscii(host);
        if (name == null) {
            throw new LookupException(host, Reason.BAD_NAME, "");
        }
        var families = new Families(policy.characteristics());
        List<InetAddress> found = find(settings, host, name, families);
        return arrange(found, families);
    }

    private Settings begin() {
        if (closed) {
            throw new IllegalStateException("this Dnsj is closed");
        }
        counters.lookups.increment();
        return files.current();
    }

    private static InetAddress literal(String host) {
        boolean mayBe = host.indexOf(':') >= 0 || (!host.isEmpty() && isDigit(host.charAt(0)));
        return mayBe ? Literal.parse(host) : null;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** The families that are wanted, and their order. */
    private record Families(int characteristics) {
        boolean ipv4() {
            return (characteristics & IPV4) != 0;
        }

        boolean ipv6() {
            return (characteristics & IPV6) != 0;
        }

        List<InetAddress> of(List<InetAddress> addresses) {
            return ipv4() && ipv6()
                    ? addresses
                    : addresses.stream()
                            .filter(a -> a instanceof Inet4Address ? ipv4() : ipv6())
                            .toList();
        }

        /** The family whose addresses come first, whatever their order otherwise; or null. */
        Class<? extends InetAddress> first() {
            if ((characteristics & IPV6_FIRST) != 0) {
                return Inet6Address.class;
            }
            return (characteristics & IPV4_FIRST) != 0 ? Inet4Address.class : null;
        }
    }

    private List<InetAddress> arrange(List<InetAddress> addresses, Families families) {
        Class<? extends InetAddress> first = families.first();
        if (first == null) {
            return ordered(addresses);
        }
        // each family by itself: for one address of each, the kernel need not be asked
        var arranged = new ArrayList<InetAddress>(addresses.size());
        arranged.addAll(ordered(addresses.stream().filter(first::isInstance).toList()));
        arranged.addAll(ordered(addresses.stream().filter(a -> !first.isInstance(a)).toList()));
        return arranged;
    }

    private List<InetAddress> find(Settings settings, String host, String name, Families families)
            throws LookupException {
        LookupException failure = null;
        var merged = new ArrayList<InetAddress>();
        for (Source source : settings.nsSwitch().sources()) {
            Status status;
            List<InetAddress> found = List.of();
            try {
                found =
                        switch (source.service()) {
                            case FILES -> named(host, settings.hosts().addressesOf(name));
                            case MYHOSTNAME -> named(host, MyHostName.addressesOf(name, hostName));
                            case DNS -> byDns(settings, host, name, families);
                        };
                found = families.of(found);
                status = found.isEmpty() ? Status.NOTFOUND : Status.SUCCESS;
            } catch (LookupException e) {
                failure = e;
                status = e.reason().conclusive() ? Status.NOTFOUND : Status.UNAVAIL;
            }
            merged.addAll(found);
            if (source.returning().contains(status)) {
                break;
            }
        }
        if (merged.isEmpty() && HostName.isLocalhost(name)) {
            merged.addAll(families.of(named(host, MyHostName.LOOPBACK)));
        }
        if (!merged.isEmpty()) {
            return merged;
        }
        throw failure != null ? failure : new LookupException(host, Reason.NO_SUCH_NAME, "");
    }

    /** Addresses that remember the name they were found by, as the JDK's own do. */
    private static List<InetAddress> named(String host, List<InetAddress> addresses) {
        var named = new ArrayList<InetAddress>(addresses.size());
        for (InetAddress address : addresses) {
            int scope = address instanceof Inet6Address six ? six.getScopeId() : 0;
            named.add(named(host, address.getAddress(), scope));
        }
        return named;
    }

    private static InetAddress named(String host, byte[] address, int scope) {
        try {
            return scope == 0
                    ? InetAddress.getByAddress(host, address)
                    : Inet6Address.getByAddress(host, address, scope);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<InetAddress> byDns(Settings settings, String host, String name, Families families)
            throws LookupException {
        if (HostName.isLocalhost(name)) {
            return List.of();
        }
        var types = new ArrayList<Integer>(2);
        if (families.ipv4()) {
            types.add(Type.A);
        }
        if (families.ipv6() && !settings.resolv().noAaaa()) {
            types.add(Type.AAAA);
        }
        if (types.isEmpty()) {
            return List.of();
        }
        var addresses = new ArrayList<InetAddress>();
        for (Answer answer : new Search(settings, host).run(name, types)) {
            for (Record record : answer.records()) {
                addresses.add(
                        record instanceof ARecord a
                                ? named(host, a.getAddress().getAddress(), 0)
                                : named(host, ((AAAARecord) record).getAddress().getAddress(), 0));
            }
        }
        return addresses;
    }

    private List<InetAddress> ordered(List<InetAddress> addresses) {
        if (addresses.size() < 2) {
            return addresses;
        }
        Order known = orders.get(addresses);
        long now = System.nanoTime();
        if (known == null || now - known.foundNanos() > ORDER_KEPT.toNanos()) {
            known = new Order(AddressOrder.sort(addresses), now);
            if (orders.size() >= ORDERS_MAX) {
                orders.clear();
            }
            orders.put(addresses, known);
        }
        return known.sorted();
    }

    // ---- records of a name, names of an address ----

    /**
     * The records of a name, of any type: by DNS, with the search list, and from the cache.
     *
     * @param type of {@link Type}, such as {@link Type#MX}
     * @return at least one; those that the end of a chain of aliases owns
     * @throws LookupException if there are none; it says why
     */
    public List<Record> lookup(String name, int type) throws LookupException {
        Settings settings = begin();
        String ascii = HostName.toAscii(name);
        if (ascii == null) {
            throw new LookupException(name, Reason.BAD_NAME, "");
        }
        return new Search(settings, name).run(ascii, List.of(type)).getFirst().records();
    }

    /**
     * The name of a host by its address.
     *
     * @throws LookupException if it has none; it says why
     */
    public String name(InetAddress address) throws LookupException {
        Settings settings = begin();
        LookupException failure = null;
        for (Source source : settings.nsSwitch().sources()) {
            Status status = Status.NOTFOUND;
            try {
                String name =
                        switch (source.service()) {
                            case FILES -> settings.hosts().names().get(address);
                            case MYHOSTNAME -> MyHostName.nameOf(address, hostName);
                            case DNS -> nameByDns(settings, address);
                        };
                if (name != null) {
                    return name;
                }
            } catch (LookupException e) {
                failure = e;
                status = e.reason().conclusive() ? Status.NOTFOUND : Status.UNAVAIL;
            }
            if (source.returning().contains(status)) {
                break;
            }
        }
        throw failure != null
                ? failure
                : new LookupException(address.getHostAddress(), Reason.NO_SUCH_NAME, "");
    }

    private static String nameByDns(Settings settings, InetAddress address) throws LookupException {
        var question = new Question(ReverseMap.fromAddress(address), Type.PTR);
        Answer answer = settings.lookups().ask(List.of(question))[0];
        if (!answer.found()) {
            throw new LookupException(address.getHostAddress(), answer.reason(), answer.source());
        }
        Name target = ((PTRRecord) answer.records().getFirst()).getTarget();
        return target.toString(true);
    }

    // ---- about ----

    /** What it has done so far. */
    public Statistics statistics() {
        return counters.read(files.current().lookups().cached());
    }

    /** What of the configuration files is not used, a line each. */
    public List<String> notes() {
        return files.current().notes();
    }

    /** The servers, in the order in which they are asked. */
    public List<InetSocketAddress> servers() {
        return files.current().resolv().servers();
    }

    /** Closes connections. Look-ups under way end as they would; new ones fail. */
    @Override
    public void close() {
        closed = true;
        files.current().lookups().close();
    }

    /** Settings; what is not set follows the files, and their changes. */
    public static final class Builder {
        private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");
        private static final Path HOSTS = Path.of("/etc/hosts");
        private static final Path NSSWITCH = Path.of("/etc/nsswitch.conf");

        private Path resolvConf = RESOLV_CONF;
        private Path hosts = HOSTS;
        private Path nsSwitch = NSSWITCH;
        private int port = 53;
        private boolean useHosts = true;
        private boolean reload = true;
        private boolean environment = true;
        private List<InetSocketAddress> servers; // null: the file's, as all below
        private List<String> search;
        private Integer ndots;
        private Duration timeout;
        private Integer attempts;
        private Boolean rotate;
        private Boolean useTcp;
        private boolean randomCase;
        private boolean edns = true;
        private int concurrency = 4096;
        private int cacheSize = 10_000;
        private Duration ttlMin = Duration.ZERO;
        private Duration ttlMax = Duration.ofDays(1);
        private Duration negativeTtlMax = Duration.ofMinutes(15);
        private Duration stale = Duration.ZERO;

        private Builder() {}

        private Builder copy() {
            var copy = new Builder();
            copy.resolvConf = resolvConf;
            copy.hosts = hosts;
            copy.nsSwitch = nsSwitch;
            copy.port = port;
            copy.useHosts = useHosts;
            copy.reload = reload;
            copy.environment = environment;
            copy.servers = servers == null ? null : List.copyOf(servers);
            copy.search = search;
            copy.ndots = ndots;
            copy.timeout = timeout;
            copy.attempts = attempts;
            copy.rotate = rotate;
            copy.useTcp = useTcp;
            copy.randomCase = randomCase;
            copy.edns = edns;
            copy.concurrency = concurrency;
            copy.cacheSize = cacheSize;
            copy.ttlMin = ttlMin;
            copy.ttlMax = ttlMax;
            copy.negativeTtlMax = negativeTtlMax;
            copy.stale = stale;
            return copy;
        }

        /** Another file than {@code /etc/resolv.conf}; it must exist. */
        public Builder resolvConf(Path file) {
            resolvConf = file;
            return this;
        }

        /** Another file than {@code /etc/hosts}; it must exist. */
        public Builder hosts(Path file) {
            hosts = file;
            return this;
        }

        /** Another file than {@code /etc/nsswitch.conf}; it must exist. */
        public Builder nsSwitch(Path file) {
            nsSwitch = file;
            return this;
        }

        /** Whether the hosts file counts; it does by default. */
        public Builder useHosts(boolean on) {
            useHosts = on;
            return this;
        }

        /** The port of the file's servers; 53 by default. */
        public Builder port(int number) {
            port = checked("port", number, 1, 65535);
            return this;
        }

        /** Whether changes of the files are followed; they are by default. */
        public Builder reload(boolean on) {
            reload = on;
            return this;
        }

        /** Whether LOCALDOMAIN and RES_OPTIONS count; they do by default. */
        public Builder environment(boolean on) {
            environment = on;
            return this;
        }

        /** Adds a server; the file's count no more. */
        public Builder server(InetSocketAddress address) {
            if (address.isUnresolved()) {
                throw new IllegalArgumentException(
                        address + ": a server is given by its address, not by a name");
            }
            servers = servers == null ? new ArrayList<>() : servers;
            servers.add(address);
            return this;
        }

        /** The domains to append to short names; none are allowed. */
        public Builder search(String... domains) {
            search = List.of(domains);
            return this;
        }

        /** Names with as many dots are tried as they are first; 1 by default. */
        public Builder ndots(int dots) {
            ndots = checked("ndots", dots, 0, 127);
            return this;
        }

        /** How long the first server has, each time; 5 s by default. */
        public Builder timeout(Duration time) {
            timeout = positive("timeout", time);
            return this;
        }

        /** How often all servers are asked; 2 by default. */
        public Builder attempts(int number) {
            attempts = checked("attempts", number, 1, 100);
            return this;
        }

        /** Whether each look-up starts with another server. */
        public Builder rotate(boolean on) {
            rotate = on;
            return this;
        }

        /** Whether servers are asked by TCP alone. */
        public Builder useTcp(boolean on) {
            useTcp = on;
            return this;
        }

        /** Whether letters' case is random in questions, and checked in answers (0x20); off. */
        public Builder randomCase(boolean on) {
            randomCase = on;
            return this;
        }

        /** Whether questions have an OPT record; they do by default. */
        public Builder edns(boolean on) {
            edns = on;
            return this;
        }

        /** How many questions a server may have at a time; 4096 by default. */
        public Builder concurrencyPerServer(int questions) {
            concurrency = checked("concurrencyPerServer", questions, 1, 1_000_000);
            return this;
        }

        /** How many answers are kept; 10,000 by default, 0 keeps none. */
        public Builder cacheSize(int answers) {
            cacheSize = checked("cacheSize", answers, 0, 100_000_000);
            return this;
        }

        /** Bounds of the time that answers with records are kept; zero and a day by default. */
        public Builder ttl(Duration min, Duration max) {
            if (min.isNegative() || max.compareTo(min) < 0) {
                throw new IllegalArgumentException(
                        "ttl: the bounds are " + min + " and " + max + ", but must be in order");
            }
            ttlMin = min;
            ttlMax = max;
            return this;
        }

        /** Upper bound of the time that answers without records are kept; 15 min by default. */
        public Builder negativeTtl(Duration max) {
            negativeTtlMax = max;
            return this;
        }

        /** How long past their time answers serve while no server does (RFC 8767); zero: never. */
        public Builder stale(Duration time) {
            stale = time;
            return this;
        }

        /**
         * Reads the files.
         *
         * @throws UncheckedIOException if one can't be read
         */
        public Dnsj build() {
            Slf4j.start();
            try {
                return new Dnsj(this);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** A file that somebody named should be there; glibc's own may be missing. */
        private void requireNamedFiles() throws IOException {
            requireNamed(resolvConf, RESOLV_CONF);
            requireNamed(hosts, HOSTS);
            requireNamed(nsSwitch, NSSWITCH);
        }

        private static void requireNamed(Path file, Path usual) throws IOException {
            if (!file.equals(usual) && ConfigFile.stamp(file) == null) {
                throw new IOException("there is no file " + file);
            }
        }

        private ResolvConf applyTo(ResolvConf file) {
            return new ResolvConf(
                    servers != null ? List.copyOf(servers) : file.servers(),
                    search != null ? search : file.search(),
                    ndots != null ? ndots : file.ndots(),
                    timeout != null ? timeout : file.timeout(),
                    attempts != null ? attempts : file.attempts(),
                    rotate != null ? rotate : file.rotate(),
                    useTcp != null ? useTcp : file.useTcp(),
                    file.trustAd(),
                    file.singleRequest(),
                    file.noAaaa(),
                    file.noTldQuery(),
                    file.noReload(),
                    file.notes());
        }

        private static int checked(String what, int number, int min, int max) {
            if (number < min || number > max) {
                throw new IllegalArgumentException(
                        what + " is " + number + ", but must be from " + min + " to " + max);
            }
            return number;
        }

        private static Duration positive(String what, Duration time) {
            if (time.isNegative() || time.isZero()) {
                throw new IllegalArgumentException(what + " is " + time + ", but must be positive");
            }
            return time;
        }
    }
}
