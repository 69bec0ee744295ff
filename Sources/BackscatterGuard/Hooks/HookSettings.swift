// Settings of the hooks: a small file of `key = "value"` lines, because a hook is started for every mail and runs under a
// user who must not read the daemon's configuration. What the environment says wins over the file, flags over both.

import Glibc

/// Where a hook records, and what it runs then.
public struct HookSettings: Sendable, Equatable {
    /// Read if it is there.
    public static let standardFile = "/etc/guardd/hooks.conf"

    public var controlSocket = "/run/guardd/control"
    public var spoolDirectory = "/var/spool/guardd"
    /// `record_failure = "pass"`: a mail that can't be recorded goes on.
    public var passesUnrecorded = false
    public var qmailRemote = "/var/qmail/bin/qmail-remote"
    public var qmailQueue = "/var/qmail/bin/qmail-queue"
    /// Domains that this qmail takes from strangers, one a line; for those that it passes on to another host.
    public var rcpthosts = "/var/qmail/control/rcpthosts"
    /// Clients whose mail to such domains began here all the same.
    public var outgoingNetworks: [Network] = []
    /// Milliseconds for the control socket, then the spool's turn comes.
    public var deadline: Int64 = 10_000

    public init() {}

    /// What can't be taken, in a line: where it stands and what may stand there.
    public struct Fault: Error, Equatable, Sendable {
        public let text: String
    }

    /// Reads the file (GUARDD_HOOKS names another), then the variables GUARDD_SOCKET, GUARDD_SPOOL, GUARDD_RECORD_FAILURE.
    public static func ofProcess() throws(Fault) -> HookSettings {
        var settings = HookSettings()
        let named = variable("GUARDD_HOOKS")
        let path = named ?? standardFile
        if let octets = HookFile.contents(of: path, limit: 65_536) {
            try settings.read(octets, file: path)
        } else if named != nil || errno != ENOENT {
            throw Fault(text: "\(path): \(systemReason())")
        }
        for (name, key) in [("GUARDD_SOCKET", "control_socket"), ("GUARDD_SPOOL", "spool_directory"), ("GUARDD_RECORD_FAILURE", "record_failure")] {
            guard let value = variable(name) else { continue }
            if let problem = settings.set(key, value) { throw Fault(text: "\(name): \(problem)") }
        }
        return settings
    }

    private static func variable(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

    /// Lines `key = "value"`, `#` begins a comment.
    mutating func read(_ octets: Octets, file: String) throws(Fault) {
        for (index, line) in octets.split(separator: ASCII.lf, omittingEmptySubsequences: false).enumerated() {
            let text = HookSettings.trimmed(String(decoding: line, as: UTF8.self))
            if text.isEmpty || text.hasPrefix("#") { continue }
            guard let sign = text.firstIndex(of: "=") else { throw Fault(text: "\(file):\(index + 1): write key = \"value\"") }
            let key = HookSettings.trimmed(String(text[..<sign]))
            let value = HookSettings.trimmed(String(text[text.index(after: sign)...]))
            guard value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") else {
                throw Fault(text: "\(file):\(index + 1): \(key): write the value in quotes, with nothing behind it")
            }
            if let problem = set(key, String(value.dropFirst().dropLast())) { throw Fault(text: "\(file):\(index + 1): \(key): \(problem)") }
        }
    }

    /// - Returns: nil, or what is wrong.
    public mutating func set(_ key: String, _ value: String) -> String? {
        switch key {
        case "control_socket": return setPath(\.controlSocket, value)
        case "spool_directory": return setPath(\.spoolDirectory, value)
        case "qmail_remote": return setPath(\.qmailRemote, value)
        case "qmail_queue": return setPath(\.qmailQueue, value)
        case "rcpthosts": return setPath(\.rcpthosts, value)
        case "record_failure":
            guard value == "pass" || value == "tempfail" else { return "write \"tempfail\" or \"pass\"" }
            passesUnrecorded = value == "pass"
        case "deadline":
            guard let seconds = Int64(value), (1...120).contains(seconds) else { return "write seconds, 1 to 120" }
            deadline = seconds * 1_000
        case "outgoing_networks":
            let networks = value.split(separator: " ").map { Network(String($0)) }
            guard !networks.contains(nil) else { return "write networks, as \"192.0.2.0/24 2001:db8::/32\"" }
            outgoingNetworks = networks.compactMap(\.self)
        default:
            return "unknown; there are control_socket, spool_directory, record_failure, deadline, qmail_remote, qmail_queue, rcpthosts, outgoing_networks"
        }
        return nil
    }

    private mutating func setPath(_ field: WritableKeyPath<HookSettings, String>, _ value: String) -> String? {
        guard value.hasPrefix("/") else { return "write an absolute path" }
        self[keyPath: field] = value
        return nil
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}

/// Small files that hooks read.
enum HookFile {
    /// nil with errno when it can't be read, or is larger than `limit`.
    static func contents(of path: String, limit: Int) -> Octets? {
        guard let file = Descriptor(path, O_RDONLY) else { return nil }
        let octets = file.read(limit + 1)
        guard octets.count <= limit else {
            errno = EFBIG
            return nil
        }
        return octets
    }
}
