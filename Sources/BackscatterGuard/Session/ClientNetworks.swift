/// Which clients are not strangers, for those that a session comes to know by XFORWARD.
public struct ClientNetworks: Sendable, Equatable {
    /// `exempt_clients`
    public var exempt: [Network]
    /// `outgoing_networks`
    public var outgoing: [Network]
    /// `xforward_clients`
    public var forwarding: [Network]

    public init(exempt: [Network] = [], outgoing: [Network] = [], forwarding: [Network] = []) {
        self.exempt = exempt
        self.outgoing = outgoing
        self.forwarding = forwarding
    }
}
