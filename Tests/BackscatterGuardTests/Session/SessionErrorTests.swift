import Testing
@testable import BackscatterGuard

@Suite("Session: errors, junk and recipients are counted as Postfix counts them (THREATS R21)") struct SessionErrorTests {
    private static let unknown = "500 5.5.2 Error: command not recognized"
    private static let tooMany = "421 4.7.0 Error: too many errors"
    private static let putOff = "452 4.5.3 Error: too many recipients"

    private func limited(_ change: @escaping (inout SessionLimits) -> Void) -> SessionTranscript { SessionTranscript { change(&$0.limits) } }

    // MARK: soft_error_limit

    @Test func beyondTheSoftLimitEachCommandWaits() {
        let t = limited { ($0.softErrors, $0.errorSleep) = (2, 1_500) }.opened()
        t.client("FOO", "FOO", "FOO", "NOOP")
        t.clientHears(Self.unknown, Self.unknown)
        #expect(t.session.delayedUntil == t.now + 1_500)
        t.after(1_000)
        t.clientHears()
        t.after(500)
        t.clientHears(Self.unknown)
        #expect(t.session.delayedUntil == t.now + 1_500)
        t.after(1_500)
        t.upstreamHears("NOOP")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("250 2.0.0 Ok")
        #expect(t.session.delayedUntil == nil)
    }

    @Test func belowTheSoftLimitNothingWaits() {
        let t = limited { $0.softErrors = 2 }.opened()
        t.client("FOO", "NOOP")
        t.upstreamHears("NOOP")
        #expect(t.session.delayedUntil == nil)
    }

    /// One wait for a command, however often it is offered before the upstream lets it go.
    @Test func aCommandThatWaitsForRepliesWaitsItsTimeOnce() {
        let t = limited { $0.softErrors = 1 }.opened()
        t.client("FOO", "MAIL FROM:<bob@sender.example>", "NOOP")
        t.after(1_000)
        t.upstreamHears("MAIL FROM:<bob@sender.example>")
        t.after(1_000)
        t.nobodyHearsUpstream()
        t.upstream("250 2.1.0 Ok")
        t.upstreamHears("NOOP")
    }

    @Test func waitingIsNotTheClientsTime() {
        let t = limited { ($0.softErrors, $0.errorSleep) = (1, 310_000) }.opened()
        t.client("FOO", "NOOP")
        t.after(305_000)
        t.goesOn()
    }

    /// Its commands were said whole: they are answered, then the session ends.
    @Test func aClientThatHasSaidItsLastIsAnsweredAllTheSame() {
        let t = limited { $0.softErrors = 1 }.opened()
        t.client("FOO", "FOO")
        t.clientEnds()
        t.clientHears(Self.unknown)
        t.after(1_000)
        t.clientHears(Self.unknown)
        t.isOver()
    }

    // MARK: hard_error_limit

    /// It hears the client's own commands and counts them itself: a mail to a list with many dead addresses passes.
    @Test func whatTheUpstreamRefusesIsItsOwnToCount() {
        let t = limited { ($0.softErrors, $0.hardErrors) = (1, 2) }.opened()
        t.client("MAIL FROM:<bob@sender.example>", "RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "RCPT TO:<c@example.org>")
        t.upstream("250 2.1.0 Ok", "550 5.1.1 unknown", "550 5.1.1 unknown", "550 5.1.1 unknown")
        t.forgotten()
        t.client("RCPT TO:<d@example.org>")
        t.upstream("250 2.1.5 Ok")
        t.clientHears("250 2.1.5 Ok")
        t.goesOn()
    }

    @Test func deliveredMailTakesErrorsBack() {
        let t = limited { $0.hardErrors = 3 }.opened()
        for _ in 0..<3 {
            t.client("FOO", "FOO")
            t.forgotten().mailBegun()
            t.client("DATA")
            t.upstream("354 go on")
            t.client("Subject: x", "", ".")
            t.upstream("250 2.0.0 Ok: queued")
            t.forgotten()
        }
        t.goesOn()
        t.client("FOO", "FOO", "FOO")
        t.clientHears(Self.unknown, Self.unknown, Self.unknown, Self.tooMany)
    }

    @Test func refusedContentTakesNothingBack() {
        let t = limited { $0.hardErrors = 2 }.opened()
        t.client("FOO")
        t.forgotten().mailBegun()
        t.client("DATA")
        t.upstream("354 go on")
        t.client("Subject: x", "", ".")
        t.upstream("451 4.3.0 later")
        t.forgotten()
        t.client("FOO")
        t.clientHears(Self.unknown, Self.tooMany)
    }

    // MARK: junk_command_limit

    @Test(arguments: ["NOOP", "RSET", "VRFY x", "EXPN x", "ETRN x", "HELP", "EHLO again.example", "HELO again.example"])
    func junkCountsAsErrorsBeyondItsLimit(_ command: String) {
        let t = limited { ($0.junkCommands, $0.hardErrors) = (2, 2) }.opened()          // EHLO was the first; one more is free
        for _ in 0..<3 {
            t.client(command)
            t.upstream("250 2.0.0 Ok")
        }
        t.goesOn()
        t.forgotten()
        t.client(command)
        t.upstream("250 2.0.0 Ok")
        #expect(t.sink.takeClientText().hasSuffix(Self.tooMany + "\r\n"))
        t.isOver()
    }

    @Test func mailIsNoJunk() {
        let t = limited { ($0.junkCommands, $0.hardErrors) = (1, 1) }.opened()
        t.mailBegun(to: "a@example.org", "b@example.org", "c@example.org")
        t.goesOn()
    }

    // MARK: stress

    @Test func underStressOneErrorIsEnough() {
        let t = SessionTranscript().opened()
        t.after(1_000, commandLimit: 10_000)
        t.client("FOO")
        t.clientHears(Self.unknown, Self.tooMany)
        t.isOver()
    }

    @Test func underStressTheThirdJunkCommandIsAnError() {
        let t = SessionTranscript().opened()
        t.after(1_000, commandLimit: 10_000)
        t.client("NOOP")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("250 2.0.0 Ok")
        t.upstreamHears("NOOP")
        t.client("NOOP")
        t.upstream("250 2.0.0 Ok")
        t.clientHears("250 2.0.0 Ok", Self.tooMany)
        t.isOver()
    }

    @Test func stressThatIsOverIsForgotten() {
        let t = SessionTranscript().opened()
        t.after(1_000, commandLimit: 10_000)
        t.after(1_000)
        t.client("FOO")
        t.clientHears(Self.unknown)
        t.goesOn()
    }

    @Test func whatHasNoLimitHasNoneUnderStress() {
        var limits = SessionLimits()
        (limits.hardErrors, limits.junkCommands) = (0, 0)
        #expect(limits.underStress.hardErrors == 0 && limits.underStress.junkCommands == 0)
    }

    // MARK: recipient_limit

    @Test func furtherRecipientsArePutOff() {
        let t = limited { ($0.recipients, $0.recipientOvershoot, $0.hardErrors) = (2, 1, 2) }.opened().mailBegun(to: "a@example.org", "b@example.org")
        t.client("RCPT TO:<c@example.org>")
        t.clientHears(Self.putOff)
        t.upstreamHears()
        t.client("RCPT TO:<d@example.org>")
        t.clientHears(Self.putOff)
        t.client("RCPT TO:<e@example.org>")
        t.clientHears(Self.putOff, Self.tooMany)
    }

    @Test func theNextMailHasItsOwnCount() {
        let t = limited { $0.recipients = 1 }.opened().mailBegun()
        t.client("RSET")
        t.upstream("250 2.0.0 Ok")
        t.forgotten().mailBegun()
        t.client("RCPT TO:<c@example.org>")
        t.clientHears(Self.putOff)
    }

    @Test func refusedRecipientsTakeNoPlace() {
        let t = limited { $0.recipients = 1 }.opened()
        t.client("MAIL FROM:<bob@sender.example>")
        t.upstream("250 2.1.0 Ok")
        t.client("RCPT TO:<nobody@example.org>")
        t.upstream("550 5.1.1 unknown")
        t.forgotten()
        t.client("RCPT TO:<a@example.org>")
        t.upstreamHears("RCPT TO:<a@example.org>")
    }
}

private extension SessionTranscript {
    func nobodyHearsUpstream(at location: SourceLocation = #_sourceLocation) {
        #expect(sink.takeUpstreamText() == "", sourceLocation: location)
    }
}
