// The systemd journal, followed through a journalctl that is started again when it ends. Each start names the entry that
// was reached: if it is not the first that comes, entries are lost, and that is told.
//
// `journalctl --follow` shows entries of this boot only. So after a reboot one without it reads up to the end first. And it
// shows them half a second late (journald tells of a change after 250 ms, journalctl looks after as much). So when
// somebody asks, a journalctl without it takes its place, until all is read that was logged by then (JournalBarrier).

import Glibc

/// The messages of syslog's clients in the journal, in their order. Used by one thread.
final class JournalTail: FollowedLog {
    /// Where it lies on the systems that have one.
    static let programs = ["/usr/bin/journalctl", "/bin/journalctl"]
    /// Seconds before the first start whose entries are read, for the mails that are under way.
    static let firstRead: Int64 = 3_600
    /// Milliseconds: of a follower without an entry until it counts as working; of one that does not come to the entry
    /// that was reached until that is told.
    private static let settled: Int64 = 2_000
    private static let overdue: Int64 = 30_000
    /// Milliseconds between two starts.
    private static let pauses: ClosedRange<Int64> = 1_000...60_000
    /// Seconds: entries that came so late show that more are on their way.
    private static let late: Int64 = 2

    /// Milliseconds: a journalctl has to be started, perhaps on a large journal, perhaps twice.
    let patience: Int64 = 1_500
    let lateness: Int64 = 600
    /// Milliseconds without a question until entries are followed again.
    private static let rest: Int64 = 1_000
    /// Milliseconds between two looks for what journald has not written yet.
    private static let glance: Int64 = 20

    private enum Stage {
        /// Entries up to the present, of all boots.
        case past
        case following
    }

    private let program: String?
    private let service: String
    private let currentBoot: String?
    private var child: JournalChild?
    private var stage = Stage.following
    private var lines = JournalLines()
    private var position: JournalPosition?
    /// Up to here an earlier run has read; nil: all that comes is new.
    private var known: JournalPosition?
    /// The entry that has to come first; nil: any may.
    private var expected: String?
    /// No rewinding any more: its place is gone.
    private var isDirect = false
    private var marks = JournalMarks()
    private var losses: [String] = []
    /// Read, and not handed out.
    private var rest: ArraySlice<JournalMessage> = []
    private var started: Int64 = 0
    private var heard = false
    private var retryAt: Int64 = 0
    private var pause = pauses.lowerBound
    private var problem = "journalctl is not started"
    private var lastArrival: (at: Int64, isLate: Bool)?
    /// What was asked and is not answered.
    private var barrier: JournalBarrier?
    /// It was asked after the journalctl that runs was started, so that one may end too early for it.
    private var barrierIsNew = false
    private let socket: String
    /// No journalctl runs, but soon one will, and nothing is wrong.
    private var isResting = false
    /// The one that runs, or ran last, reads for one who asks.
    private var isGlance = false

    /// - Parameters:
    ///   - program: path of journalctl; nil: where it is used to lie.
    ///   - position: where an earlier run was; nil: the last hour is read.
    ///   - boot: of the present, as cursors tell it.
    ///   - socket: journald's, for marks.
    init(
        program: String?, format: MTALogFormat, position: JournalPosition?, boot: String? = JournalTail.boot(), socket: String = JournalBarrier.socket
    ) {
        self.socket = socket
        self.program = program ?? JournalTail.programs.first { unsafe access($0, X_OK) == 0 }
        service = format.rawValue
        self.position = position
        known = position
        currentBoot = boot
    }

    static func boot() -> String? {
        SmallFile.read("/proc/sys/kernel/random/boot_id").map { $0.filter(\.isHexDigit) }
    }

    var behind: Int { 0 }
    var wake: CInt? { child?.connection }

    func position(caughtUp: Int64) -> String? { position?.text(caughtUp: caughtUp) }

    func close() {
        child?.stop()
        child = nil
    }

    func look() {
        var asked = JournalBarrier(asked: JournalBarrier.clock())
        asked.send(to: socket)
        (barrier, barrierIsNew) = (asked, true)
    }

    func next(at now: Int64) -> LogTail.Step {
        if !losses.isEmpty { return .lost(losses.removeFirst()) }
        if !rest.isEmpty { return handOut() }
        if barrier != nil, child != nil, stage == .following, known == nil, expected == nil {
            close()
            return start(now)
        }
        guard let child else {
            if isResting, barrierIsNew { return start(now) }
            if now >= retryAt { return start(now) }
            return isResting ? .pending : .unreadable(problem)
        }
        switch child.read() {
        case .octets(let octets):
            let messages = lines.read(octets)
            return messages.isEmpty ? .pending : take(messages, now)
        case .nothing: return idle(now)
        case .ended(let ending): return ended(ending, now)
        }
    }

    // MARK: The child

    /// A journalctl has come to the end of what is there.
    private func rested(_ now: Int64) -> LogTail.Step {
        isResting = true
        pause = JournalTail.pauses.lowerBound
        barrier?.send(to: socket)
        if barrier?.mark == .impossible, !barrierIsNew { barrier = nil }
        retryAt = now + (barrier == nil ? JournalTail.rest : JournalTail.glance)
        return barrier == nil ? .end : .pending
    }

    private func start(_ now: Int64) -> LogTail.Step {
        guard let program else { return failed("there is no \(JournalTail.programs.joined(separator: " and no "))", now) }
        lines.forget()
        (started, heard, lastArrival) = (now, false, nil)
        (isResting, barrierIsNew) = (false, false)
        do throws(ReactorError) {
            child = try JournalChild([program] + arguments())
            return .pending
        } catch { return failed("\(program): \(error.text)", now) }
    }

    /// Also decides what is expected of it.
    private func arguments() -> [String] {
        isGlance = barrier != nil
        stage = isGlance ? .past : .following
        expected = nil
        if known != nil { known = position }
        var place = ["--since=@\(EventLoop.seconds() - JournalTail.firstRead)"]
        if let position {
            let cursor = known != nil && !isDirect ? position.from : position.known
            let isOfThisBoot = JournalMessage.boot(of: cursor) == currentBoot
            if isOfThisBoot || !pastIsRead {
                if !isOfThisBoot { stage = .past }
                expected = cursor
                place = ["--cursor=\(cursor)"]
            } else {
                place = isGlance ? ["--boot"] : []              // all of this boot
            }
        }
        let follow = stage == .following ? ["--follow", "--no-tail"] : []
        return follow + place + [
            "--system", "--quiet", "--no-pager", "--all", "--output=json",
            "--output-fields=SYSLOG_IDENTIFIER,SYSLOG_PID,MESSAGE,MESSAGE_ID,_SOURCE_REALTIME_TIMESTAMP",
            "_TRANSPORT=syslog", "+", "_TRANSPORT=driver", "MESSAGE_ID=\(JournalMessage.suppression)",
        ]
    }

    /// What earlier boots left was read by a journalctl that came to its end.
    private var pastIsRead = false

    private func ended(_ ending: ChildProcess.Ending, _ now: Int64) -> LogTail.Step {
        child = nil
        if stage == .past, ending == .exited(0) {
            pastIsRead = true
            known = nil
            // Nothing from there on, not even the entry itself: the journal was emptied.
            if expected != nil {
                position = nil
                return .lost("the journal does not hold any more what was read last")
            }
            return isGlance ? rested(now) : start(now)
        }
        let how = switch ending {
        case .exited(let status): "ended with status \(status)"
        case .killed(let signal): "was killed by signal \(signal)"
        case .unknown: "ended"
        }
        return failed("journalctl \(how); may guardd's user read the journal (group systemd-journal)?", now)
    }

    private func failed(_ why: String, _ now: Int64) -> LogTail.Step {
        problem = why
        retryAt = now + pause
        pause = min(2 * pause, JournalTail.pauses.upperBound)
        return .unreadable(why)
    }

    private func idle(_ now: Int64) -> LogTail.Step {
        guard stage == .following, known == nil, barrier == nil else { return .pending }
        if expected != nil {
            return now - started > JournalTail.overdue ? .unreadable("journalctl does not come to the entry that was read last") : .pending
        }
        guard heard || now - started > JournalTail.settled else { return .pending }
        pause = JournalTail.pauses.lowerBound
        if let last = lastArrival, last.isLate, now - last.at < 1_000 { return .pending }
        return .end
    }

    // MARK: Entries

    private func take(_ messages: [JournalMessage], _ now: Int64) -> LogTail.Step {
        var messages = messages[...]
        heard = true
        if let place = expected, let first = messages.first {
            expected = nil
            if JournalMessage.isSame(first.cursor, place) {
                messages.removeFirst()
                if place == known?.known { known = nil }
            } else if known != nil, !isDirect {
                return goDirectly(now)
            } else {
                known = nil
                losses.append("the journal does not hold any more what was read last")
            }
        }
        let clock = EventLoop.seconds()
        if let asked = barrier, messages.contains(where: asked.isPassed) { barrier = nil }
        if let last = messages.last { lastArrival = (now, clock - last.time > JournalTail.late) }
        rest = messages
        return handOut()
    }

    /// Entries that are known, or entries that are not. The position tells of what was handed out only.
    private func handOut() -> LogTail.Step {
        let isKnown = known != nil
        var taken: [JournalMessage] = []
        while isKnown == (known != nil), let message = rest.popFirst() {
            pass(message)
            taken.append(message)
            if message.tellsLoss(of: service), let text = message.text.map({ ASCII.washed($0, limit: 200) }) {
                losses.append("journald has dropped messages (set LogRateLimitIntervalSec=0 for the service): \(text)")
            }
        }
        return taken.isEmpty ? .pending : .messages(taken, isKnown: isKnown)
    }

    /// The entry from where mails under way would be known again is gone; the one that was reached may be there.
    private func goDirectly(_ now: Int64) -> LogTail.Step {
        close()
        isDirect = true
        return start(now)
    }

    private func pass(_ message: JournalMessage) {
        guard var left = known else {
            position = marks.pass(message, after: position)
            return
        }
        if message.time > left.time {
            known = nil
            return pass(message)
        }
        left.count -= 1
        known = JournalMessage.isSame(message.cursor, left.known) || left.count <= 0 ? nil : left
    }
}
