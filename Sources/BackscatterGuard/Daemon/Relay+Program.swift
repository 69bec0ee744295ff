// A program as the upstream of a relay: qmail-smtpd, started as tcpserver would.

extension Relay {
    /// Starts the program for this session; nil after noting why not.
    func start(_ upstream: UpstreamProgram, _ dialling: Dialling) -> UpstreamSocket? {
        let client = UCSPI.environment(
            client: session.client, server: session.server, hostname: upstream.hostname, relays: session.isOutgoingClient)
        switch worker.programs.start(upstream, client: client, session: number, worker.programSettings) {
        case .failure(let error):
            dialling.failures.append(error.text)
            return nil
        case .success(let (pid, connection)):
            program = pid
            if let socket = try? UpstreamSocket(descriptor: connection, relay: self, loop: worker.loop) { return socket }
            leaveProgram()
            return nil
        }
    }

    /// Its connection is closed; the worker sees to it that it ends.
    func leaveProgram() {
        guard let pid = program else { return }
        program = nil
        worker.programs.leave(pid, at: worker.now, worker.programSettings)
    }
}
