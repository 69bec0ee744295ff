// The values of `Configuration` that have names: each enumeration's raw values are the words of the file.

extension Configuration {
    public typealias Direction = BackscatterGuard.Direction
    public typealias UpstreamIdentity = BackscatterGuard.UpstreamIdentity
    public typealias RecordFailure = BackscatterGuard.RecordFailure

    /// An own address and what comes in there.
    public struct Listener: Sendable, Equatable {
        public var kind = ListenerKind.smtp
        /// `.unixSocket` where there is a path.
        public var address: PeerAddress
        /// Of a Unix socket.
        public var path: String?
        /// Permission bits of a Unix socket; nil: 0660.
        public var socketMode: UInt32?
        public var socketGroup: String?
        public var direction: Direction
        /// nil: STARTTLS once there is a certificate.
        public var tls: ClientTLS.Start?
        public var tlsLevel: TLSLevel
        public var records = RecordRule.all
        /// nil: those of the configuration.
        public var proxyClients: [Network]?

        public init(address: PeerAddress, direction: Direction = .auto, tls: ClientTLS.Start? = nil, tlsLevel: TLSLevel = .may) {
            self.address = address
            self.direction = direction
            self.tls = tls
            self.tlsLevel = tlsLevel
        }

        /// As long as there is a certificate.
        var clientTLS: ClientTLS { ClientTLS(start: tls ?? .starttls, isRequired: tlsLevel == .encrypt) }
    }

    /// Postfix's smtpd_tls_security_level.
    public enum TLSLevel: String, Sendable, CaseIterable {
        case may, encrypt
    }

    /// Paths of a certificate's files, as the configuration writes them.
    public struct Certificate: Sendable, Equatable {
        /// PEM: the certificate, then the intermediates.
        public var chain: String
        /// PEM; may be the same file.
        public var key: String
    }

    /// Where the protected MTA listens.
    public enum Upstream: Sendable, Hashable {
        case address(PeerAddress)
        /// A name that is looked up at each dialling, and a port.
        case host(String, port: UInt16)
        /// Path of a Unix socket.
        case unix(String)
        /// A program and its arguments, started for each session.
        case program([String])
    }

    /// CR or LF alone in content, where no end of data could be read into it (R2).
    public enum BareLineEndings: String, Sendable, CaseIterable {
        case pass
        /// 451 4.6.0, as qmail does. The rule for a program as upstream.
        case refuse
    }

    public enum LogLevel: String, Sendable, CaseIterable {
        case error, warning, info, debug
    }

    /// Deadlines. RFC 5321 §4.5.3.2, THREATS.md R21.
    public struct Timeouts: Sendable, Equatable {
        /// For one whole command of a client, however it trickles in.
        public var clientCommand = Duration.seconds(300)
        /// The same while more than three quarters of `maxConnections` are taken.
        public var clientStress = Duration.seconds(10)
        /// For a client's TLS handshake.
        public var handshake = Duration.seconds(60)
        /// For content: this, and a second more for each `contentRate` octets that came.
        public var clientContent = Duration.seconds(300)
        /// Octets a second that a client must keep up on average.
        public var contentRate = 500
        public var upstreamConnect = Duration.seconds(30)
        /// For the 220.
        public var upstreamGreeting = Duration.seconds(300)
        /// For the replies to EHLO, MAIL, RCPT and all others not named here.
        public var upstreamCommand = Duration.seconds(300)
        /// For the 354.
        public var upstreamData = Duration.seconds(120)
        /// For the upstream to take a further part of the content.
        public var upstreamContent = Duration.seconds(180)
        /// For the reply to the end of content.
        public var upstreamEnd = Duration.seconds(600)

        public init() {}
    }
}
