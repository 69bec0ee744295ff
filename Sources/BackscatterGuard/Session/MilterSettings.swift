// What all milter sessions of one configuration share; a reload makes new ones for new sessions.

/// The part of the configuration that a milter session needs besides the proxy's.
public struct MilterSettings: Sendable {
    /// Policy, texts, the networks of clients that are no strangers, and what becomes of mail that can't be recorded.
    public var session: SessionSettings
    /// `{daemon_name}` of the services whose mail is outgoing.
    public var outgoingDaemons: [Octets]
    /// For the MTA's next command, in milliseconds.
    public var timeout: Int64
    /// A reply that takes longer than this is announced (SMFIR_PROGRESS), again and again, in milliseconds.
    public var progressInterval: Int64 = 10_000
    /// After this the sent log is not waited for any longer: temporary failure. In milliseconds.
    public var decisionLimit: Int64 = 300_000

    public init(session: SessionSettings, outgoingDaemons: [Octets], timeout: Int64) {
        self.session = session
        self.outgoingDaemons = outgoingDaemons
        self.timeout = timeout
    }
}

extension Network {
    /// This machine.
    static let loopback = [Network("127.0.0.0/8"), Network("::1/128")].compactMap(\.self)
}
