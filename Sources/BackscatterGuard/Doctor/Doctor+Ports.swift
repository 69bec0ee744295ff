// Is somebody listening where guardd should: guardd itself, another program, nobody?

import Glibc

extension Doctor {
    var portFindings: [Finding] {
        let found = configuration.listeners.map { ($0, ports.at($0)) }
        if !found.isEmpty, found.allSatisfy({ $0.1 == nil }) {
            let all = found.map { $0.0.text }.joined(separator: ", ")
            return [Finding(.ports, .error, "guardd is not running: nobody listens on \(all)", remedy: Doctor.start)]
        }
        var findings = found.map { finding($0, $1) }
        if let path = configuration.controlSocket { findings.append(controlFinding(path)) }
        return findings + statusFindings
    }

    private static let start = "start it: systemctl start guardd, or guardd run; guardd check says whether it would start"

    private func finding(_ listener: Configuration.Listener, _ found: ListeningPorts.Found?) -> Finding {
        let name = "\(listener.text) (\(listener.kind == .milter ? "milter, " : "")\(listener.direction.rawValue))"
        guard let found else {
            return Finding(.ports, .error, "\(name): nobody listens", remedy: guardd == nil ? Doctor.start : "guardd was started with another configuration: restart it (new listeners need a start)")
        }
        if let guardd = found.guardd { return Finding(.ports, .ok, "\(name): guardd listens, process \(guardd.pid)") }
        if let stranger = found.stranger {
            return Finding(
                .ports, .error, "\(name): \(stranger.program) listens, process \(stranger.pid), and not guardd",
                remedy: "move it to another port (Postfix: the line \"smtp inet\" of master.cf), then start guardd")
        }
        if found.isSystemd, listener.path != nil { return Finding(.ports, .ok, "\(name): systemd has made it for guardd") }
        if found.isSystemd {
            return Finding(.ports, .warning, "\(name): systemd listens for guardd, which is not running", remedy: "the next client starts it; journalctl -u guardd says whether it can")
        }
        return unknownFinding(listener, name, found)
    }

    /// Who has it open can be seen by root only; how it greets, by everybody.
    private func unknownFinding(_ listener: Configuration.Listener, _ name: String, _ found: ListeningPorts.Found) -> Finding {
        let owner = found.uid.map { " of uid \($0)" } ?? ""
        let isPlain = listener.kind == .smtp && listener.tls != .implicit
        guard isPlain, (listener.proxyClients ?? configuration.proxyClients).isEmpty, let reply = greeting(of: listener) else {
            return Finding(.ports, .unseen, "\(name): a process\(owner) listens, which one can't be seen", remedy: Doctor.askRoot)
        }
        guard reply.code == 220, reply.lines == ["\(configuration.hostname) ESMTP"] else {
            return Finding(
                .ports, .warning, "\(name): a process\(owner) listens and greets as guardd would not: \(reply.text)",
                remedy: "stop it or move it to another port, then start guardd; or hostname was changed and guardd not reloaded")
        }
        return Finding(.ports, .ok, "\(name): a process\(owner) listens and greets as guardd does")
    }

    private func greeting(of listener: Configuration.Listener) -> ProbeReply? {
        guard let connection = try? ProbeConnection(to: SocketAddress(listener.reachable), name: listener.text, until: deadline.within(2_000)) else { return nil }
        let reply = try? connection.reply()
        connection.leave()
        return reply
    }

    private func controlFinding(_ path: String) -> Finding {
        guard let found = ports.at(path: path) else {
            return Finding(.ports, .error, "\(path): nobody listens on the control socket", remedy: "restart guardd; hooks write into the spool meanwhile")
        }
        if let stranger = found.stranger {
            return Finding(.ports, .error, "\(path): \(stranger.program) listens on the control socket, process \(stranger.pid), and not guardd", remedy: "stop it, or write another control_socket")
        }
        return Finding(.ports, .ok, "\(path): the control socket is there" + (found.guardd.map { ", process \($0.pid)" } ?? ""))
    }
}

extension Configuration.Listener {
    /// Where this machine reaches it.
    var reachable: PeerAddress {
        guard address.octets.allSatisfy({ $0 == 0 }), let loopback = PeerAddress(address.family == .ipv4 ? "127.0.0.1" : "::1", port: address.port) else { return address }
        return loopback
    }
}
