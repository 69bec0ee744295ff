// guardd selftest: a mail goes out the way that the site's mail goes, a genuine and a forged bounce of it come back through
// the live listener, and both must get what they should. Afterwards the sent log has forgotten the mail.
//
// Where forged bounces are not refused (mode "observe", a log that is not complete yet) the same verdict is worked out here,
// by the same policy and the same log, and what it would be is said.

import Glibc

/// One step and how it went.
public struct SelftestStep: Sendable, Equatable {
    public let isGood: Bool
    public let name: String
    /// One line.
    public let text: String

    /// For a terminal.
    public var line: String {
        let head = (isGood ? "ok     " : "WRONG  ") + name
        return head + String(repeating: " ", count: max(1, 19 - head.count)) + text
    }
}

/// One selftest of a running guardd.
public final class Selftest {
    /// Milliseconds for one mail.
    private static let patience: Int64 = 60_000
    /// Microseconds between two looks.
    private static let pause: UInt32 = 100_000

    private let configuration: Configuration
    private let plan: SelftestPlan
    private let mail: SelftestMail
    private let policy: Policy
    private let desk: any SentLogDesk
    private let wait: Int
    private let say: (SelftestStep) -> Void
    private var isGood = true

    /// - Parameter say: hears each step as it is done.
    /// - Throws: why there is nothing to test; nothing was sent then.
    public init(_ configuration: Configuration, _ settings: SelftestSettings, say: @escaping (SelftestStep) -> Void) throws(SelftestFault) {
        self.configuration = configuration
        self.say = say
        wait = settings.wait
        do throws(ConfigurationError) {
            policy = try configuration.makePolicy(blocks: EnforcementBlocks(stateDirectory: configuration.stateDirectory))
        } catch { throw SelftestFault(text: error.lines.joined(separator: "; ")) }
        plan = try SelftestPlan(configuration, policy, settings)
        let tag = String(UInt64.random(in: 1...UInt64.max), radix: 36)
        mail = SelftestMail(from: plan.from, to: plan.to, hostname: configuration.hostname, tag: tag, at: EventLoop.seconds())
        do throws(SentLogError) {
            // Without the log nothing could be forgotten afterwards.
            desk = try EffectiveUser.ofOwner(of: configuration.stateDirectory) { () throws(SentLogError) in try configuration.openDesk(at: EventLoop.seconds()) }
        } catch { throw SelftestFault(text: error.text, exitStatus: error.isOperatorFault ? 78 : 75) }
    }

    deinit { desk.close() }

    /// For the first line.
    public var title: String { "guardd selftest: <\(mail.id)> from \(plan.from) to \(plan.to)" }

    /// - Returns: whether both bounces got what they should.
    public func run() -> Bool {
        Interruption.watch()
        let wasPair = isKnownPair
        let sink = makeSink()
        defer { sink?.stop() }
        if plan.sink == nil || sink != nil, send() {
            checkRecorded()
            if let sink { checkArrived(sink) }
            for (kind, content) in [("genuine", mail.genuineBounce), ("forged", mail.forgedBounce)] where !Interruption.hasCome { play(kind, content) }
            isGood = isGood && !Interruption.hasCome
        }
        forget(withPair: !wasPair)
        return isGood
    }

    private func tell(_ good: Bool, _ name: String, _ text: String) {
        isGood = isGood && good
        say(SelftestStep(isGood: good, name: name, text: text))
    }

    private var isKnownPair: Bool {
        desk.answer(Inquiry(recipients: [Octets(plan.from.utf8)], failedRecipients: [Octets(plan.to.utf8)]), at: EventLoop.seconds()).knownPairs.contains(true)
    }

    // MARK: out

    private func makeSink() -> SinkServer? {
        guard let address = plan.sink else { return nil }
        do { return try SinkServer(SinkSettings(), at: address) } catch {
            tell(false, "sink", "can't listen on \(address): \(error.text)")
            return nil
        }
    }

    private func send() -> Bool {
        let deadline = ProbeDeadline(after: Selftest.patience)
        do throws(ProbeFailure) {
            switch plan.out {
            case .smtp(let door):
                let (reply, command) = try door.play(from: plan.from, to: plan.to, SelftestMail.wire(mail.probe), until: deadline)
                tell(reply.isGood, "sent", "by \(door.name): \(reply.text)" + (reply.isGood ? "" : ", to \(command)\(advice(command, plan.to))"))
                return reply.isGood
            case .program(let path):
                let run = try ProgramRun.run([path, "-i", "-f", plan.from, plan.to], input: Octets(mail.probe.utf8), until: deadline)
                let words = ASCII.washed(run.output, limit: 200)
                tell(run.isGood, "sent", "by \(path)" + (run.isGood ? "" : ": it failed (\(run.status.map { "status \($0)" } ?? "killed")) \(words)"))
                return run.isGood
            }
        } catch {
            tell(false, "sent", "it could not be: \(error.text)")
            return false
        }
    }

    private func advice(_ command: String, _ address: String) -> String {
        command.hasPrefix("RCPT") ? ": the mail server does not take mail for \(address): name a mailbox with --to, or make an alias (docs/doctor.md)" : ""
    }

    private func checkRecorded() {
        guard let id = mail.messageID else { return tell(false, "recorded", "<\(mail.id)> is no Message-ID") }
        let deadline = ProbeDeadline(after: Int64(wait) * 1_000)
        do throws(SentLogError) {
            while try desk.lookup(id, at: EventLoop.seconds()) == nil {
                if Interruption.hasCome { return tell(false, "recorded", "interrupted") }
                guard !deadline.isOver else {
                    return tell(false, "recorded", "not within \(wait) s: what leaves by \(plan.out.name) is not in the sent log, and its bounces would be refused")
                }
                usleep(Selftest.pause)
            }
            tell(true, "recorded", "the sent log knows its Message-ID")
        } catch {
            tell(false, "recorded", error.text)
        }
    }

    private func checkArrived(_ sink: SinkServer) {
        let id = Octets("message-id: <\(mail.id)>".lowercased().utf8)
        let deadline = ProbeDeadline(after: Int64(wait) * 1_000)
        while !deadline.isOver, !Interruption.hasCome {
            let found = sink.mailbox.wait(seconds: Double(min(deadline.left, Interruption.grain)) / 1_000) { message in
                message.content.split(separator: ASCII.lf).contains { ASCII.lowercased($0.prefix { $0 != ASCII.cr }) == id }
            }
            if found != nil { return tell(true, "arrived", "at the sink \(sink.address), Message-ID unchanged") }
        }
        tell(false, "arrived", Interruption.hasCome ? "interrupted" : "not within \(wait) s at the sink \(sink.address): does the mail server send mail to \(plan.to) there?")
    }

    // MARK: back

    private func play(_ kind: String, _ content: Octets) {
        let expected = judge(content)
        do throws(ProbeFailure) {
            let (reply, command) = try plan.back.play(from: "", to: plan.from, content, until: ProbeDeadline(after: Selftest.patience))
            guard command == "the content" else {
                return tell(false, kind, "\(plan.back.name) answers \(reply.text) to \(command)\(advice(command, plan.from))")
            }
            let (isRight, words) = SelftestOutcome.of(kind == "genuine", expected, reply)
            tell(isRight, kind, "its bounce at \(plan.back.name): \(reply.text)\(words)")
        } catch {
            tell(false, kind, error.text)
        }
    }

    /// What guardd must find.
    private func judge(_ content: Octets) -> Judgement {
        var reader = NotificationReader()
        reader.read(content.span)
        reader.finish()
        let now = EventLoop.seconds()
        guard let path = ForwardPath(Octets(plan.from.utf8)) else { return Judgement(verdict: .deliver, reason: .undecided) }
        let evidence = reader.evidence
        let inquiry = Inquiry(ids: evidence.originalMessageIDs, references: evidence.referenceIDs, recipients: [path.octets], failedRecipients: evidence.failedRecipients)
        return policy.judge(evidence, desk.answer(inquiry, at: now), recipients: [path], treatment: policy.treatment(of: path), at: now)
    }

    // MARK: afterwards

    /// Whatever came of it, also of a record that came late.
    private func forget(withPair: Bool) {
        guard let id = mail.messageID else { return }
        do throws(SentLogError) {
            let now = EventLoop.seconds()
            try desk.forget(id, pair: withPair ? (Octets(plan.from.utf8), Octets(plan.to.utf8)) : nil, at: now)
            let isGone = try desk.lookup(id, at: now) == nil
            tell(isGone, "forgotten", isGone ? "the sent log knows nothing of it any more" : "the sent log knows it still")
        } catch {
            tell(false, "forgotten", "\(error.text); its id stays until it expires")
        }
    }
}

/// Whether a bounce got what it should.
enum SelftestOutcome {
    /// - Parameters:
    ///   - expected: the verdict by policy and log.
    ///   - reply: to the content.
    /// - Returns: whether it is right, and what is to be said besides the reply.
    static func of(_ isGenuine: Bool, _ expected: Judgement, _ reply: ProbeReply) -> (isRight: Bool, words: String) {
        let isRefused = reply.code == 550 && reply.text.contains("Backscatter refused")
        if isGenuine {
            if isRefused { return (false, ": a genuine bounce must not be refused (\(expected.reason.rawValue))") }
            return reply.isGood ? (true, "") : (false, ": that is the mail server's own answer, or guardd's to other things than a forgery")
        }
        switch expected.verdict {
        case .refuse: return isRefused ? (true, "") : (false, ": it must be refused (\(expected.reason.rawValue)), and was not")
        case .defer: return reply.code / 100 == 4 ? (true, ": deferred, as actions say") : (false, ": it must be deferred (\(expected.reason.rawValue))")
        case .deliver, .mark, .divert:
            if isRefused { return (false, ": it must not be refused here (\(expected.verdict.rawValue), \(expected.reason.rawValue))") }
            guard reply.isGood else { return (false, ": that is the mail server's own answer") }
            return (true, expected.wouldRefuse ? ": would be refused (\(expected.reason.rawValue)), but for mode \"observe\" or a log that is not complete: guardd status"
                : ": delivered, as actions say (\(expected.reason.rawValue))")
        }
    }
}
