// `guardd setup`: the lines that a mail server needs for guardd's place in the mail path. docs/setup.md, docs/positions.md

/// Where guardd stands in the mail path.
public enum SetupPosition: String, Sendable, CaseIterable {
    /// On port 25, the mail server behind it.
    case front
    /// Postfix's smtpd_proxy_filter.
    case beforeQueue = "before-queue"
    case milter
    /// What leaves is read from the mail server's log.
    case log

    /// The one that a configuration is made for.
    public static func suggested(by configuration: Configuration) -> SetupPosition {
        guard configuration.hasSMTPListener else { return .milter }
        return configuration.upstreamIdentity == .xforward ? .beforeQueue : .front
    }
}

/// Why lines can't be told or written, with the remedy, for the person at the terminal.
public struct SetupError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

extension Configuration {
    /// SMTP listeners that take mail in.
    var publicListeners: [Listener] { listeners.filter { $0.kind == .smtp && $0.direction != .outbound } }

    /// The listener to which a mail server on this machine hands what leaves.
    var outboundListener: Listener? { listeners.first { $0.kind == .smtp && $0.direction == .outbound && $0.path == nil } }
}

extension PeerAddress {
    /// Where a program on the same machine reaches a listener on this address: of a wildcard, loopback.
    var reachable: PeerAddress {
        guard isWildcard else { return self }
        return PeerAddress(family == .ipv6 ? "::1" : "127.0.0.1", port: port) ?? self
    }
}
