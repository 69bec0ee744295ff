// One visit to the mail server behind, as guardd makes one for each client: the true client's address is told as the
// configuration says, and here it is one that belongs to nobody (RFC 5737). What that client may do is then seen: no
// content is ever sent, so nothing is delivered.

/// What came of a visit.
struct UpstreamVisit {
    /// Whom the mail server is told to have before it.
    static let client = "192.0.2.1"
    private static let port: UInt16 = 40_000
    /// Milliseconds for one visit: postscreen takes its time to greet (postscreen_greet_wait).
    static let patience: Int64 = 9_000
    /// Domains whose mail it is asked about.
    private static let domainLimit = 3

    enum Identity: Equatable {
        /// It took the address.
        case taken
        /// It does not, in these words, and what to do.
        case refused(String, remedy: String)
        /// It is not told.
        case none
    }

    var greeting = ""
    var keywords: Keywords?
    var identity = Identity.none
    /// Its words, where it would pass mail of that client on to anywhere.
    var relays: String?
    /// Protected domains that it does not take mail for, with its words.
    var refusedDomains: [(domain: String, words: String)] = []
    /// Why the visit ended early.
    var failure: String?

    /// - Parameters:
    ///   - name: of the mail server, for messages.
    ///   - kind: `upstream_identity`.
    ///   - relay: an address that is nobody's business here; nil: whether it relays is not asked.
    ///   - domains: protected ones.
    init(_ address: SocketAddress, name: String, hostname: String, kind: UpstreamIdentity, relay: String?, domains: [String], until deadline: ProbeDeadline) {
        do throws(ProbeFailure) {
            let connection = try ProbeConnection(to: address, name: name, until: deadline.within(UpstreamVisit.patience))
            try visit(connection, address, hostname, kind)
            if keywords != nil, identity == .taken || kind == .none { try askTransaction(connection, relay, domains) }
            connection.leave()
        } catch {
            failure = error.text
        }
        guard kind == .proxyV1 || kind == .proxyV2, keywords == nil else { return }
        if UpstreamVisit.greetsUnasked(address, name, deadline) {
            identity = .refused("\(name) greets without a PROXY header", remedy: "-o smtpd_upstream_proxy_protocol=haproxy on that port in master.cf, then postfix reload; or write another upstream_identity")
        }
    }

    private mutating func visit(_ connection: ProbeConnection, _ address: SocketAddress, _ hostname: String, _ kind: UpstreamIdentity) throws(ProbeFailure) {
        guard let client = PeerAddress(UpstreamVisit.client, port: UpstreamVisit.port) else { return }
        let server = address.internet == nil ? PeerAddress.unixSocket : PeerAddress(address)
        switch kind {
        case .proxyV1: try connection.send(ProxyHeader.v1(client: client, server: server))
        case .proxyV2: try connection.send(ProxyHeader.v2(client: client, server: server))
        case .xclient, .xforward, .none: break
        }
        let first = try connection.reply()
        guard first.code == 220 else { throw ProbeFailure(text: "greets with \(first.text)") }
        greeting = first.lines.first ?? ""
        let hello = try connection.say("EHLO \(hostname)")
        guard hello.code == 250 else { throw ProbeFailure(text: "answers EHLO with \(hello.text)") }
        keywords = Keywords(reply: hello.octets.span)
        switch kind {
        case .proxyV1, .proxyV2: identity = .taken
        case .none: break
        case .xforward: askXForward()
        case .xclient: try tell(client, hostname, connection)
        }
    }

    private mutating func askXForward() {
        let isOffered = keywords?.xforwardAttributes?.contains { ASCII.equal($0, "addr") } == true
        identity = isOffered ? .taken : .refused("offers no XFORWARD ADDR to this machine", remedy: "-o smtpd_authorized_xforward_hosts=127.0.0.0/8 (guardd's address) for that port in master.cf, then postfix reload")
    }

    private mutating func tell(_ client: PeerAddress, _ hostname: String, _ connection: ProbeConnection) throws(ProbeFailure) {
        let remedy = "-o smtpd_authorized_xclient_hosts=127.0.0.1 (guardd's address) for that port in master.cf, then postfix reload"
        let commands = XClient.commands(offered: keywords?.xclientAttributes ?? [], client: client, server: nil, helo: Octets("guardd-doctor.example.net".utf8), isESMTP: true)
        guard !commands.isEmpty else {
            identity = .refused("offers no XCLIENT ADDR to this machine", remedy: remedy)
            return
        }
        for command in commands {
            try connection.send(command)
            let reply = try connection.reply()
            guard reply.code == 220 else {
                identity = .refused("answers XCLIENT with \(reply.text)", remedy: remedy)
                return
            }
        }
        let again = try connection.say("EHLO \(hostname)")
        guard again.code == 250 else {
            identity = .refused("answers EHLO behind XCLIENT with \(again.text)", remedy: "see its log")
            return
        }
        keywords = Keywords(reply: again.octets.span)
        identity = .taken
    }

    /// What would a client from nowhere get? Its commands end before DATA.
    private mutating func askTransaction(_ connection: ProbeConnection, _ relay: String?, _ domains: [String]) throws(ProbeFailure) {
        guard relay != nil || !domains.isEmpty else { return }
        let mail = try connection.say("MAIL FROM:<>")
        guard mail.isGood else {
            if mail.code >= 500 { refusedDomains = domains.prefix(1).map { ($0, "\(mail.text) to MAIL FROM:<>") } }
            return
        }
        if let relay {
            let reply = try connection.say("RCPT TO:<\(relay)>")
            if reply.isGood { relays = reply.text }
        }
        for domain in domains.prefix(UpstreamVisit.domainLimit) {
            let reply = try connection.say("RCPT TO:<postmaster@\(domain)>")
            // Not now, or not this user: nothing to complain about here.
            if reply.code >= 500, !reply.text.contains(" 5.1.1 ") { refusedDomains.append((domain, reply.text)) }
        }
        _ = try connection.say("RSET")
    }

    /// Milliseconds in which a server that waits for no header greets.
    private static let greetingTime: Int64 = 1_500

    private static func greetsUnasked(_ address: SocketAddress, _ name: String, _ deadline: ProbeDeadline) -> Bool {
        guard let connection = try? ProbeConnection(to: address, name: name, until: deadline.within(greetingTime)) else { return false }
        let reply = try? connection.reply()
        if reply?.code == 220 { connection.leave() }
        return reply?.code == 220
    }
}
