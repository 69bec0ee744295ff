// TLS on the two sockets of a relay: when it begins, and what the session hears of it.

extension Relay {
    /// The 220 to STARTTLS is written, or nothing was said: from here on there is TLS or nothing. What the client has sent
    /// in clear is thrown away (THREATS R7).
    func secureClient() {
        guard let client, client.isOpen, client.backlog == 0 else { return }      // `drained` comes back here
        wantsTLS = false
        pending = []
        guard let connection = tlsServer?.connection(client.descriptor) else {
            session.clientHandshakeFailed("out of memory", into: self)
            return
        }
        client.startTLS(connection)
    }

    func clientSecured(_ summary: TLSSummary) {
        worker.refreshTime()
        worker.counters.secured(summary.version)
        session.clientSecured(summary, at: worker.now, into: self)
        settle()
    }

    func clientHandshakeFailed(_ reason: String) {
        worker.refreshTime()
        session.clientHandshakeFailed(reason, into: self)
        settle()
    }

    func secureUpstream() {
        guard let upstream, upstream.isOpen, upstream.backlog == 0,
              let connection = worker.tlsClient?.connection(upstream.descriptor, name: worker.upstreamTLSName ?? dialling?.host)
        else { return session.upstreamHandshakeFailed("no name to verify it by; write upstream_tls_name", at: worker.now, into: self) }
        upstream.startTLS(connection)
    }

    func upstreamSecured() {
        worker.refreshTime()
        session.upstreamSecured(at: worker.now, into: self)
        settle()
    }

    func upstreamHandshakeFailed(_ reason: String) {
        worker.refreshTime()
        session.upstreamHandshakeFailed(reason, at: worker.now, into: self)
        settle()
    }
}
