import Testing
@testable import BackscatterGuard

@Suite("Session: STARTTLS of the client and at the upstream (RFC 3207, THREATS R7, R8, R12)") struct SessionTLSTests {
    private static let starttls = ClientTLS(start: .starttls)
    private static let summary = TLSSummary(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384")
    private static let bare = "250-mx.example.org\r\n250-PIPELINING\r\n250-REQUIRETLS\r\n250-STARTTLS\r\n250 AUTH PLAIN"

    private func session(_ change: @escaping (inout SessionTranscript.Setup) -> Void = { _ in }) -> SessionTranscript {
        SessionTranscript {
            $0.clientTLS = Self.starttls
            $0.authWithoutTLS = false
            change(&$0)
        }.forgotten()
    }

    private func secure(_ t: SessionTranscript) {
        t.session.clientSecured(Self.summary, at: t.now, into: t.sink)
    }

    @Test func offersWhatHoldsInEachPlace() {
        let t = session()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.upstream(Self.bare)
        t.clientHears("250-guard.example.org", "250-PIPELINING", "250 STARTTLS")
        t.client("AUTH PLAIN AGEAYg==", "MAIL FROM:<a@b.example> REQUIRETLS")
        t.clientHears("538 5.7.11 Encryption required for requested authentication mechanism", "555 5.5.4 Unsupported option: REQUIRETLS")
        t.client("STARTTLS")
        t.clientHears("220 2.0.0 Ready to start TLS")
        #expect(t.sink.handshakes == 1)
        secure(t)
        t.forgotten()
        t.client("EHLO c.example")
        t.upstreamHears("EHLO c.example")
        t.upstream(Self.bare)
        t.clientHears("250-guard.example.org", "250-PIPELINING", "250-REQUIRETLS", "250 AUTH PLAIN")
        t.client("STARTTLS")
        t.clientHears("554 5.5.1 Error: TLS already active")
    }

    @Test func withoutCertificateOrWithArgument() {
        let none = SessionTranscript().opened()
        none.client("STARTTLS")
        none.clientHears("502 5.5.1 Error: command not implemented")
        let t = session()
        t.client("STARTTLS x")
        t.clientHears("501 5.5.4 Error: this command has no argument")
        #expect(t.sink.handshakes == 0)
    }

    @Test func whatComesBehindStartTLSIsThrownAwayInAnyDivision() {
        everyDivision(Octets("STARTTLS\r\nNOOP\r\nRCPT TO:<x@y>\r\nhalf")) { pieces in
            let t = session().opened()
            for piece in pieces { t.clientOctets(piece) }
            t.clientHears("220 2.0.0 Ready to start TLS")
            secure(t)
            t.nobodyHears()
            t.client("EHLO c.example")
            t.upstreamHears("EHLO c.example")
        }
    }

    @Test func forgetsTheTransactionAndKeepsTheUpstreamForAHello() {
        let t = session().opened().mailBegun()
        t.client("STARTTLS")
        secure(t)
        t.forgotten()
        t.client("RCPT TO:<ann@example.org>")
        t.clientHears("503 5.5.1 Error: need MAIL command")
        // Not a hello: what upstream knows of the one outside must go.
        #expect(t.sink.hangUps == 1)

        let kept = session().opened().mailBegun()
        kept.client("STARTTLS")
        secure(kept)
        kept.forgotten()
        kept.client("EHLO inside.example")
        kept.upstreamHears("EHLO inside.example")
        #expect(kept.sink.hangUps == 0)
    }

    @Test func forgetsWhoTheClientIs() {
        let t = session { $0.authWithoutTLS = true }.opened().authenticated()
        t.client("STARTTLS")
        #expect(t.sink.hangUps == 1)
        secure(t)
        t.forgotten()
        t.client("EHLO c.example")
        #expect(t.sink.dials.count == 2)
    }

    @Test func nothingIsSaidWhileHandsAreShaken() {
        let t = session().opened()
        t.client("STARTTLS")
        t.forgotten()
        t.upstreamEnds()
        t.stop()
        t.nobodyHears()
        t.after(59_000)
        t.goesOn()
        t.after(2_000)
        t.nobodyHears()
        t.isOver()
        #expect(t.sink.hasDroppedClient)
    }

    @Test func stressShortensTheHandshake() {
        let t = session().opened()
        t.client("STARTTLS")
        t.forgotten()
        t.after(11_000, commandLimit: 10_000)
        t.isOver()
    }

    /// EHLO counts as junk (junk_command_limit, 1 under stress), and who uses TLS has to say it twice.
    @Test func underStressAMailInTLSIsTaken() {
        let t = session()
        t.after(1_000, commandLimit: 10_000)
        t.opened()
        t.client("STARTTLS")
        secure(t)
        t.client("EHLO client.example")
        t.upstream(SessionTranscript.keywords)
        t.forgotten().mailBegun()
        t.goesOn()
    }

    @Test func aFailedHandshakeEndsInSilence() {
        let t = session().opened()
        t.client("STARTTLS")
        t.forgotten()
        t.session.clientHandshakeFailed("wrong version number", into: t.sink)
        t.logs("client: TLS handshake failed: client=192.0.2.7 reason=\"wrong version number\"")
        t.nobodyHears()
        t.isOver()
    }

    @Test func implicitGreetsInsideOnly() {
        let t = SessionTranscript { $0.clientTLS = ClientTLS(start: .implicit) }
        t.client("EHLO x.example")
        t.nobodyHears()
        secure(t)
        t.clientHears("220 guard.example.org ESMTP")
        t.client("STARTTLS")
        t.clientHears("554 5.5.1 Error: TLS already active")
    }

    @Test func requiredTakesNothingElseInClear() {
        let t = session { $0.clientTLS = ClientTLS(start: .starttls, isRequired: true) }.opened()
        for line in ["MAIL FROM:<a@b.example>", "RSET", "VRFY a", "AUTH PLAIN AGEAYg==", "DATA"] {
            t.client(line)
            t.clientHears("530 5.7.0 Must issue a STARTTLS command first")
        }
        t.client("BDAT 6 LAST")
        t.clientRaw("QUIT\r\n")
        t.goesOn()
        t.clientHears("503 5.5.1 Error: need MAIL command")
        t.client("STARTTLS")
        secure(t)
        t.forgotten()
        t.client("MAIL FROM:<a@b.example>")
        #expect(t.sink.dials.count == 2)
    }

    @Test func theLogTellsVersionAndCipher() {
        let t = session().opened()
        t.client("STARTTLS")
        secure(t)
        t.client("EHLO c.example")
        t.upstream(SessionTranscript.keywords)
        t.mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.client("Subject: x", "", "y", ".")
        t.upstream("250 2.0.0 Ok: queued as X")
        #expect(t.sink.takeEvents().map(\.text).contains { $0.contains(" client=192.0.2.7 tls=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 from=<") })
    }

    // MARK: the upstream

    @Test(arguments: [UpstreamTLS.may, .verify])
    func orderAtTheUpstream(_ level: UpstreamTLS) {
        let t = SessionTranscript { $0.upstreamTLS = level; $0.identity = .xclient }.forgotten()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.upstreamHears("EHLO guard.example.org")
        t.upstream("250-mx", "250-XCLIENT ADDR", "250 STARTTLS")
        t.upstreamHears("STARTTLS")
        // A reply in clear behind the 220 counts for nothing (CVE-2011-0411 the other way round).
        t.upstream("220 go on", "250 XCLIENT NAME ADDR")
        #expect(t.sink.upstreamHandshakes == 1)
        t.nobodyHears()
        t.session.upstreamSecured(at: t.now, into: t.sink)
        t.upstreamHears("EHLO guard.example.org")
        t.upstream("250-mx", "250 XCLIENT ADDR")
        t.upstreamHears("XCLIENT ADDR=192.0.2.7")
        t.upstream("220 mx")
        t.upstreamHears("EHLO c.example")
    }

    @Test(arguments: ["250 mx", "500 5.5.2 what"])
    func upstreamWithoutStartTLS(_ reply: String) {
        let may = SessionTranscript { $0.upstreamTLS = .may }.forgotten()
        may.client("EHLO c.example")
        may.upstream("220 mx")
        may.upstream(reply)
        may.upstreamHears("EHLO guard.example.org", "EHLO c.example")

        let verify = SessionTranscript { $0.upstreamTLS = .verify }.forgotten()
        verify.client("EHLO c.example")
        verify.upstream("220 mx")
        verify.upstream(reply)
        verify.clientHears("421 4.3.0 Error: mail server not available, try again later")
        verify.logs("upstream: no TLS: STARTTLS is not offered, not used (upstream_tls = \"verify\")")
        verify.isOver()
    }

    @Test func anUpstreamThatTakesProxyForACommand() {
        let t = SessionTranscript { $0.upstreamTLS = .may; $0.identity = .proxyV1 }.forgotten()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.upstream("500 5.5.2 what is PROXY")
        t.clientHears("421 4.3.5 Error: the mail server does not take the client's address, try again later")
        t.isOver()
    }

    @Test func mayGoesOnInClearAfterAFailedHandshake() {
        let t = SessionTranscript { $0.upstreamTLS = .may }.forgotten()
        t.client("EHLO c.example")
        t.upstream("220 mx")
        t.upstream("250-mx", "250 STARTTLS")
        t.upstream("220 go on")
        t.session.upstreamHandshakeFailed("wrong version number", at: t.now, into: t.sink)
        t.logs("upstream: no TLS: wrong version number, going on in clear (upstream_tls = \"may\")")
        #expect(t.sink.dials == ["first", "first"])
    }
}
