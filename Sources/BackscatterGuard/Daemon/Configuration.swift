// The whole configuration as checked values: what the file says, or the flags, or the defaults written here. The table of
// options (Options*.swift) names, describes and reads each of them; a default stands nowhere else, and the table takes it
// from here. `load` is the only way to one that is known to be consistent.

/// How guardd is to run.
public struct Configuration: Sendable {
    // MARK: Who it is and where it stands

    /// The name it greets with and writes into fields of its own. RFC 5321 §4.2: a domain name.
    public var hostname = ConfigurationSystem.hostname
    /// Threads with an event loop each.
    public var workers = ConfigurationSystem.cores
    /// At least one. A listener on an IPv6 wildcard takes IPv6 only (IPV6_V6ONLY), so `[::]:25` and `0.0.0.0:25` go together.
    public var listeners: [Listener] = []
    /// At least one; the first that answers is used.
    public var upstreams: [Upstream] = []
    /// Has no default; `load` fails when neither file nor flags say one.
    public var upstreamIdentity = UpstreamIdentity.none
    /// Neither judged nor recorded.
    public var exemptClients: [Network] = []
    /// Clients whose mail on an `auto` listener is outgoing. Loopback is not in it unless written.
    public var outgoingNetworks: [Network] = []
    /// Load balancers: what comes from them begins with a PROXY header.
    public var proxyClients: [Network] = []
    /// Mail servers that say by XFORWARD whose mail they bring.
    public var xforwardClients: [Network] = []

    // MARK: A program as the upstream

    /// What its environment holds besides the client.
    public var upstreamEnvironment: [String: String] = [:]
    /// 0: no limit.
    public var maxProcesses = 100
    public var processEndTimeout = Duration.seconds(10)

    // MARK: Milter

    /// `{daemon_name}` of services whose mail is outgoing.
    public var milterOutgoingDaemons = ["ORIGINATING"]
    /// MTAs that may connect, besides this machine's.
    public var milterClients: [Network] = []
    public var milterTimeout = Duration.seconds(7_210)

    // MARK: As whom it serves

    /// Name or number; nil: who started it.
    public var user: String?
    /// Name or number; nil: the user's own.
    public var group: String?

    // MARK: TLS

    /// The first is for clients that name no server.
    public var certificates: [Certificate] = []
    public var tlsCiphers = TLSCiphers.medium
    /// The oldest protocol that clients may speak.
    public var tlsProtocol = TLSProtocol.v12
    /// AUTH is offered and carried in clear too where TLS is offered.
    public var authWithoutTLS = false
    /// nil: `none` where all upstreams are on this machine, else `may`.
    public var upstreamTLS: UpstreamTLS?
    /// PEM file of the authorities that `verify` trusts; nil: the system's.
    public var upstreamTLSAuthorities: String?
    /// The name that `verify` asks for; nil: the name or address in `upstreams`.
    public var upstreamTLSName: String?

    // MARK: What is judged

    /// All that `Policy` is made of, but for the domains of `protectedDomainsFile`.
    public var policySettings = PolicySettings()
    /// A list of protected domains, one a line. Relative to the folder of the configuration file.
    public var protectedDomainsFile: String?
    /// Appended to the text of a 550. http or https.
    public var refusalURL: String?

    // MARK: Sent log

    public var stateDirectory = "/var/lib/guardd"
    /// How long after sending a bounce may come. Whole seconds.
    public var bounceWindow = Duration.seconds(10 * 86_400)
    /// How long records are kept; at least `bounceWindow` + 7 days. Whole seconds.
    public var retention = Duration.seconds(21 * 86_400)
    public var recordFailure = RecordFailure.tempfail
    public var recordPairs = PairRecording.withoutID
    /// Logs that are followed.
    public var sources: [Source] = []

    // MARK: Programs that record

    /// Path of the control socket; nil: there is none.
    public var controlSocket: String?
    /// Permission bits.
    public var controlSocketMode: UInt32 = 0o660
    /// Of the control socket and the spool; nil: guardd's own.
    public var controlGroup: Group?
    /// nil: in the state directory, if there is a control socket.
    public var spoolDirectory: String?
    var sharedLogOptions = SharedLogOptions()

    // MARK: Status

    public var statusSocket = StatusSocket.standard
    /// Permission bits.
    public var statusSocketMode: UInt32 = 0o660
    /// nil: guardd's own.
    public var statusGroup: Group?
    /// Loopback; nil: not over TCP.
    public var statusListen: PeerAddress?

    // MARK: Content

    /// nil: `refuse` where an upstream is a program, else `pass`.
    public var bareLineEndings: BareLineEndings?
    /// Octets of one notification that are held before it streams on.
    public var holdLimit = 256 << 10
    /// Octets held for all notifications together.
    public var holdTotalLimit = 64 << 20

    // MARK: Limits and deadlines

    /// 0: no limit.
    public var maxConnections = 4_000
    /// Of one client, loopback too. 0: no limit.
    public var maxConnectionsPerClient = 50
    /// New connections of one client within a minute. 0: no limit.
    public var clientConnectionRateLimit = 0
    /// Bits of an address that make a client.
    public var clientIPv4Prefix = 32
    public var clientIPv6Prefix = 64
    /// Refused commands (5xx) of a session before it is closed. 0: no limit.
    public var hardErrorLimit = 20
    /// Such commands from which on each one waits for `errorSleepTime`. 0: no limit.
    public var softErrorLimit = 10
    public var errorSleepTime = Duration.seconds(1)
    /// NOOP and its like before each counts as an error. 0: no limit.
    public var junkCommandLimit = 100
    /// Of one transaction. 0: no limit.
    public var recipientLimit = 1_000
    /// Further ones that are put off before each counts as an error. 0: no limit.
    public var recipientOvershootLimit = 1_000
    public var timeouts = Timeouts()
    /// How long open transactions may go on after SIGTERM.
    public var stopTimeout = Duration.seconds(30)
    /// How long a new guardd may take to serve after SIGUSR2.
    public var handoverTimeout = Duration.seconds(60)
    public var logLevel = LogLevel.info
    public var logTo = LogPlace.stderr
    public var logFormat = LogFormat.text
    /// Repeated lines of a kind that are written one by one within a minute. 0: all.
    public var logRepeatLimit = 10

    // MARK: Events

    /// Octets of all files of events together. 0: none are kept.
    public var eventsSize = 128 << 20
    /// How long judged notifications are kept. 0: not at all.
    public var eventsRetention = Duration.seconds(14 * 86_400)

    // MARK: How it came to be

    /// The file it was read from; nil when flags alone made it.
    public internal(set) var file: String?
    /// What is allowed but probably not meant. One line each, for standard error and the log.
    public internal(set) var warnings: [String] = []

    public init() {}
}
