// What a process is given at its start besides its configuration: sockets, the service manager's ear, its own program.

/// Of this process, or nothing.
public struct ServerStart {
    var inheritance = Inheritance()
    var notify = SystemdNotify()
    var program: Program?
    /// Whether the process is guardd's, so that it may become another user.
    var isProcess = false

    /// Nothing: for a server within another program.
    init() {}

    /// What this process was given. To be asked once, before anything else opens descriptors.
    ///
    /// - Throws: inherited sockets that can't be used.
    public static func ofProcess() throws(ConfigurationError) -> ServerStart {
        var start = ServerStart()
        start.isProcess = true
        start.program = Program.ofProcess()
        start.notify = SystemdNotify.ofProcess()
        start.inheritance = try Inheritance.taken()
        return start
    }
}
