// The certificates that clients see: read at the start, on SIGHUP, and when a file has changed. A bad new one leaves the
// old ones in place. Used by the main thread; what it makes is shared by all workers.

import Glibc

/// Reads certificates and watches their files.
final class TLSKeeper {
    private struct Loaded {
        let certificates: [TLSCertificate]
        let files: [Configuration.Certificate]
        /// The configuration's name, for messages.
        let source: String?
    }

    private let tickets = TLSTicketKeys(at: EventLoop.milliseconds() / 1000)
    private(set) var server: TLSServer?
    private var loaded = Loaded(certificates: [], files: [], source: nil)
    /// Of the files as they were read, and as they looked at the last tick.
    private var readStamps: [FileStamp?] = []
    private var seenStamps: [FileStamp?] = []

    /// Reads what the configuration names.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Throws: every certificate that can't be used, and why. One whose time is not now is used at a start, but does not
    ///   take the place of good ones. What was there stays.
    func load(_ configuration: Configuration, at now: Int64) throws(ConfigurationError) -> TLSServer? {
        let stamps = FileStamp.all(of: configuration)
        readStamps = stamps
        seenStamps = stamps
        guard !configuration.certificates.isEmpty else {
            (server, loaded) = (nil, Loaded(certificates: [], files: [], source: nil))
            return nil
        }
        let new = try TLSKeeper.read(configuration)
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

    /// One line for each certificate whose time is not now.
    func alarms(at now: Int64) -> [String] { untimely(at: now).map(\.description) }

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

    private static func read(_ configuration: Configuration) throws(ConfigurationError) -> Loaded {
        var certificates: [TLSCertificate] = []
        var faults: [ConfigurationError.Fault] = []
        let named = Loaded(certificates: [], files: configuration.certificates, source: configuration.file)
        for (index, files) in configuration.certificates.enumerated() {
            var texts: [Octets] = []
            for (key, name) in [("chain", files.chain), ("key", files.key)] {
                switch ConfigurationSystem.contents(of: configuration.path(name), limit: 1 << 20) {
                case .success(let octets): texts.append(octets)
                case .failure(let error): faults.append(fault(named, index, key, "can't be read: \(error)"))
                }
            }
            guard texts.count == 2 else { continue }
            do throws(TLSCertificateError) {
                certificates.append(try TLSCertificate(chain: texts[0], key: texts[1]))
            } catch {
                faults.append(fault(named, index, error.isOfKey ? "key" : "chain", error.text))
            }
        }
        guard faults.isEmpty else { throw ConfigurationError(faults) }
        return Loaded(certificates: certificates, files: configuration.certificates, source: configuration.file)
    }
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
        configuration.certificates.flatMap { [FileStamp(configuration.path($0.chain)), FileStamp(configuration.path($0.key))] }
    }
}
