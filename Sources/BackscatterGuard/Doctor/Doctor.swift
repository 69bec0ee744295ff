// guardd doctor: looks at everything that guardd needs, from outside, and says what to do. It changes nothing: it opens
// connections and files, and asks. What it may not look at it says too.
//
// Each section is an extension of its own (Doctor+….swift) that gives findings.

import Glibc

/// What of the machine is looked at; tests give others.
struct DoctorSystem: Sendable {
    var proc = "/proc"
    /// Tells whether the kernel thinks that its clock is kept right.
    var clock: @Sendable () -> SystemCalls.ClockState = { SystemCalls.clockState() }
    /// Where the mail server's programs may lie.
    var programFolders = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/exim/bin"]
    var now: Int64 = EventLoop.seconds()
    /// Milliseconds that a visit may take.
    var patience: Int64 = 14_000
}

/// One visit.
public struct Doctor {
    let configuration: Configuration
    let system: DoctorSystem
    let deadline: ProbeDeadline
    let ports: ListeningPorts

    init(_ configuration: Configuration, _ system: DoctorSystem = DoctorSystem()) {
        self.configuration = configuration
        self.system = system
        deadline = ProbeDeadline(after: system.patience)
        ports = ListeningPorts(proc: system.proc)
    }

    /// Reads the configuration and looks at all that it names. Takes some seconds at most.
    ///
    /// - Parameter file: nil: as `Configuration.load` has it.
    public static func examine(file: String?, overrides: ConfigurationOverrides) -> DoctorReport {
        do throws(ConfigurationError) {
            return Doctor(try Configuration.load(file: file, overrides: overrides)).report()
        } catch {
            let name = file ?? Configuration.standardFile
            return DoctorReport(error.lines.map { Finding(.configuration, .error, line: $0) }, file: name)
        }
    }

    /// What is on this machine comes first: a network that does not answer uses the time up.
    func report() -> DoctorReport {
        var findings = configurationFindings
        findings += portFindings + certificateFindings + fileFindings + limitFindings + sourceFindings
        findings += logFindings + clockFindings + mailServerFindings + upstreamFindings
        return DoctorReport(findings, file: configuration.file)
    }

    /// guardd, where it holds one of its listeners.
    var guardd: ListeningPorts.Holder? { configuration.listeners.lazy.compactMap { ports.at($0)?.guardd }.first }

    /// Somebody listens on one of its listeners who may be guardd.
    var mayBeRunning: Bool { configuration.listeners.contains { ports.at($0).map { $0.guardd != nil || $0.holders.isEmpty } ?? false } }

    /// Said where a file or process can't be seen.
    static let askRoot = "run guardd doctor as root to see it"

    var configurationFindings: [Finding] {
        var findings = configuration.warnings.map { Finding(.configuration, .warning, line: $0) }
        var faults: [String] = []
        do throws(ConfigurationError) { _ = try configuration.makePolicy() } catch { faults += error.lines }
        do throws(ConfigurationError) {
            // What this very process could not do matters where it stands for guardd's own start.
            let doubts = try configuration.checkAccounts()
            if geteuid() == 0, !mayBeRunning { findings += doubts.map { Finding(.configuration, .warning, line: $0) } }
        } catch { faults += error.lines }
        findings += faults.map { Finding(.configuration, .error, line: $0) }
        if faults.isEmpty { findings.insert(Finding(.configuration, .ok, "it is consistent: hostname \(configuration.hostname), \(placeText)"), at: 0) }
        return findings
    }

    private var placeText: String {
        let listeners = "\(configuration.listeners.count) \(configuration.listeners.count == 1 ? "listener" : "listeners")"
        let upstreams = configuration.upstreams.map(\.text).joined(separator: ", ")
        return upstreams.isEmpty ? listeners : "\(listeners), upstream \(upstreams), identity \(configuration.upstreamIdentity.rawValue)"
    }
}
