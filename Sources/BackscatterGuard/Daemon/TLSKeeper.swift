// The certificates that clients see: read at the start, on SIGHUP, and when a file has changed. A bad new one leaves the
// old ones in place. Used by the main thread; what it makes is shared by all workers.

import Glibc

/// Reads certificates and watches their files.
final class TLSKeeper {
    private struct Loaded {
        var certificates: [TLSCertificate] = []
        let files: [Configuration.Certificate]
        /// The configuration's name, for messages.
        let source: String?
        /// Of the files, by path, as they were read.
        var texts: [String: Octets] = [:]
        /// Files that can't be read any more: what was read before holds.
        var kept: [ConfigurationError.Fault] = []
    }

    /// An alarm begins so many seconds before a certificate ends.
    private static let notice: Int64 = 14 * 86_400

    private let tickets = TLSTicketKeys(at: EventLoop.milliseconds() / 1000)
    private(set) var server: TLSServer?
    private var loaded: Loaded
    /// Of the files as they were read, and as they looked at the last tick.
    private var readStamps: [FileStamp?] = []
    private var seenStamps: [FileStamp?] = []

    /// - Parameter handed: what the guardd before this one has read.
    init(handed: HandedKeys = HandedKeys()) { loaded = Loaded(files: [], source: nil, texts: handed.texts) }

    /// Of the files, for a successor.
    var texts: HandedKeys { HandedKeys(loaded.texts) }

    /// Reads what the configuration names. A pair that may not be read any more (root is gone) is kept as it was.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Throws: every certificate that can't be used, and why. One whose time is not now is used at a start, but does not
    ///   take the place of good ones. What was there stays.
    func load(_ configuration: Configuration, at now: Int64) throws(ConfigurationError) -> TLSServer? {
        let stamps = FileStamp.all(of: configuration)
        readStamps = stamps
        seenStamps = stamps
        guard !configuration.certificates.isEmpty else {
            (server, loaded) = (nil, Loaded(files: [], source: nil))
            return nil
        }
        let new = try TLSKeeper.read(configuration, before: loaded.texts)
        let isReplacing = server != nil && untimely(at: now).isEmpty
        if isReplacing {
            let faults = TLSKeeper.untimely(new, at: now)
            guard faults.isEmpty else { throw ConfigurationError(faults) }
        }
        do {
            server = try TLSServer(new.certificates, ciphers: configuration.tlsCiphers, oldest: configuration.tlsProtocol, tickets: tickets)
        } catch {
            throw ConfigurationError([TLSKeeper.fault(new, error.index, "chain", error.error.text)])
        }
        loaded = new
        return server
    }

    /// Every second: changes ticket keys, and reads again what has changed and has been left alone for a second since.
    ///
    /// - Returns: whether there are new certificates.
    /// - Throws: as `load`, once for each change.
    func tick(_ configuration: Configuration, at now: Int64) throws(ConfigurationError) -> Bool {
        guard server != nil else { return false }
        tickets.rotate(at: EventLoop.milliseconds() / 1000)
        let stamps = FileStamp.all(of: configuration)
        defer { seenStamps = stamps }
        guard stamps != readStamps, stamps == seenStamps else { return false }
        _ = try load(configuration, at: now)
        return true
    }

    /// The process is another user now: what it sees of the files is another thing than a change of them.
    func rightsChanged() {
        readStamps = FileStamp.all(of: loaded.files.map { ($0.chain, $0.key) })
        seenStamps = readStamps
    }

    /// One line for each certificate whose time is not now, or is nearly over, and for each file that can't be read any more.
    func alarms(at now: Int64) -> [String] { untimely(at: now).map(\.description) + ending(at: now) + unreadable }

    /// Certificates that end soon.
    func ending(at now: Int64) -> [String] {
        loaded.certificates.enumerated().compactMap { index, certificate in
            let left = certificate.notAfter - now
            guard left >= 0, left < TLSKeeper.notice else { return nil }
            return TLSKeeper.fault(loaded, index, "chain", "expires at \(UTC.text(certificate.notAfter)), in \(left / 86_400) days; renew it").description
        }
    }

    /// What to do so that a renewal is seen.
    var unreadable: [String] { loaded.kept.map(\.description) }

    func untimely(at now: Int64) -> [ConfigurationError.Fault] { TLSKeeper.untimely(loaded, at: now) }

    /// For the log: names and ends.
    var text: String { lines.joined(separator: "; ") }

    var lines: [String] {
        zip(loaded.certificates, loaded.files).map { certificate, files in
            let names = certificate.names.isEmpty ? "no name" : certificate.names.map { ASCII.washed($0.utf8, limit: 100) }.joined(separator: ", ")
            return "\(files.chain): \(certificate.keyType) for \(names), until \(UTC.text(certificate.notAfter))"
        }
    }

    private static func untimely(_ loaded: Loaded, at now: Int64) -> [ConfigurationError.Fault] {
        loaded.certificates.enumerated().compactMap { index, certificate in
            if now < certificate.notBefore { return fault(loaded, index, "chain", "not valid before \(UTC.text(certificate.notBefore))") }
            if now > certificate.notAfter { return fault(loaded, index, "chain", "expired at \(UTC.text(certificate.notAfter)); renew it") }
            return nil
        }
    }

    private static func fault(_ loaded: Loaded, _ index: Int, _ key: String, _ problem: String) -> ConfigurationError.Fault {
        let files = loaded.files[index]
        return .init(file: loaded.source, keyPath: "certificate[\(index)].\(key)", problem: "\(key == "key" ? files.key : files.chain): \(problem)")
    }

    private static func read(_ configuration: Configuration, before: [String: Octets]) throws(ConfigurationError) -> Loaded {
        var faults: [ConfigurationError.Fault] = []
        var new = Loaded(
            files: configuration.certificates.map { .init(chain: configuration.path($0.chain), key: configuration.path($0.key)) },
            source: configuration.file)
        for (index, files) in new.files.enumerated() {
            guard let texts = texts(of: files, index, before, &new, &faults) else { continue }
            do throws(TLSCertificateError) {
                new.certificates.append(try TLSCertificate(chain: texts.chain, key: texts.key))
            } catch {
                faults.append(fault(new, index, error.isOfKey ? "key" : "chain", error.text))
            }
        }
        guard faults.isEmpty else { throw ConfigurationError(faults) }
        return new
    }

    /// Both or none: a new chain does not fit an old key.
    private static func texts(
        of files: Configuration.Certificate, _ index: Int, _ before: [String: Octets], _ new: inout Loaded, _ faults: inout [ConfigurationError.Fault]
    ) -> (chain: Octets, key: Octets)? {
        var found: [Octets] = []
        var (missing, isForbidden): ([ConfigurationError.Fault], Bool) = ([], true)
        for (key, path) in [("chain", files.chain), ("key", files.key)] {
            switch ConfigurationSystem.contents(of: path, limit: 1 << 20) {
            case .success(let octets): found.append(octets)
            case .failure(let error):
                isForbidden = isForbidden && error == .system(EACCES)
                let reason = path.hasPrefix(Configuration.credentials)
                    ? "CREDENTIALS_DIRECTORY is not set; start guardd by a systemd unit with LoadCredential=" : error.description
                missing.append(fault(new, index, key, "can't be read: \(reason)"))
            }
        }
        if !missing.isEmpty, isForbidden, let chain = before[files.chain], let key = before[files.key] {
            new.kept += missing.map { var fault = $0; fault.problem += TLSKeeper.remedy; return fault }
            found = [chain, key]
        }
        guard found.count == 2 else {
            faults += missing
            return nil
        }
        (new.texts[files.chain], new.texts[files.key]) = (found[0], found[1])
        return (found[0], found[1])
    }

    private static let remedy = "; what was read before stays: let the group that guardd runs as read it (docs/tls.md: Renewal), or restart guardd as root for a renewed one"
}

extension TLSCertificateError {
    fileprivate var isOfKey: Bool {
        switch self {
        case .noKey, .encryptedKey, .mismatch: true
        case .noCertificate, .refused: false
        }
    }
}

/// By what a changed file is known.
struct FileStamp: Equatable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// nil when there is no such file, or none that may be seen.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        (device, inode, size) = (UInt(status.st_dev), UInt(status.st_ino), Int(status.st_size))
        (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }

    static func all(of configuration: Configuration) -> [FileStamp?] {
        all(of: configuration.certificates.map { (configuration.path($0.chain), configuration.path($0.key)) })
    }

    static func all(of pairs: [(String, String)]) -> [FileStamp?] { pairs.flatMap { [FileStamp($0), FileStamp($1)] } }
}
