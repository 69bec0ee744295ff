// What a program on the server's side of UCSPI-TCP learns about its client: environment variables, as tcpserver sets them.

/// The fourth way to tell an upstream who the client is, next to PROXY v1, v2 and XCLIENT: that of a program that guardd starts.
///
/// Source: https://cr.yp.to/proto/ucspi.txt, https://cr.yp.to/ucspi-tcp/environment.html; tcp-environ(5) of notqmail.
enum UCSPI {
    /// The names that are guardd's to set, known or not: RELAYCLIENT, or a client's name, from anywhere else would be a lie.
    static func isOwn(_ name: String) -> Bool {
        name == "PROTO" || name == "RELAYCLIENT" || name.hasPrefix("TCP")
    }

    /// `NAME=value`, the values that are known; a name that isn't there is unknown to the program too.
    ///
    /// TCPREMOTEHOST and TCPREMOTEINFO are never set: guardd asks neither the DNS nor an ident server, and takes nobody's word
    /// for a name (THREATS R11).
    ///
    /// - Parameters:
    ///   - client: the true one.
    ///   - server: where the client connected to.
    ///   - hostname: of the server.
    ///   - relays: RELAYCLIENT is set: qmail-smtpd then takes mail to all the world.
    static func environment(client: PeerAddress, server: PeerAddress, hostname: String, relays: Bool) -> [String] {
        var lines = ["PROTO=TCP", "TCPLOCALHOST=\(hostname)"]
        if server.family != .unixSocket { lines += ["TCPLOCALIP=\(server.text)", "TCPLOCALPORT=\(server.port)"] }
        if client.family != .unixSocket { lines += ["TCPREMOTEIP=\(client.text)", "TCPREMOTEPORT=\(client.port)"] }
        if relays { lines.append("RELAYCLIENT=") }
        return lines
    }
}
