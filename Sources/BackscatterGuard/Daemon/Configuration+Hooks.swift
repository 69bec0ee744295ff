// What the configuration says about programs that record: the control socket and the spool.

extension Configuration {
    /// A group of the system.
    public struct Group: Sendable, Equatable {
        public var name: String
        public var number: UInt32
    }

    /// Where the control socket stands, and who may open it.
    struct ControlPlace: Sendable, Equatable {
        var path: String
        var mode: UInt32
        var group: UInt32?
    }

    /// nil without a control socket.
    var controlPlace: ControlPlace? {
        controlSocket.map { ControlPlace(path: $0, mode: controlSocketMode, group: controlGroup?.number) }
    }

    /// nil without a spool.
    var spoolPath: String? { spoolDirectory ?? controlSocket.map { _ in stateDirectory + "/spool" } }
}
