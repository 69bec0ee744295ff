// guardd as QMAILQUEUE: passes message and envelope on to the real qmail-queue, and records the mail when its envelope is
// whole but for the last NUL, which the real one waits for. So the record is durable before the mail is in the queue, and
// a mail that is refused after all leaves an id behind that one of our own users chose. MTA-FACTS 1.2, 1.3.

import Glibc

public enum QmailQueue {
    /// Exit statuses of qmail-queue(8): what its callers tell their clients.
    enum Status {
        static let readError: CInt = 54
        static let configuration: CInt = 55
        /// `451 mail server temporarily rejected message`.
        static let refusedForNow: CInt = 71
        static let bug: CInt = 81
        static let notRun: CInt = 120
    }

    private static let chunk = 65_536

    /// Who calls, by the environment.
    struct Caller: Equatable {
        /// TCPREMOTEIP: a server that a client is connected to.
        var isRemote = false
        /// RELAYCLIENT.
        var isRelayClient = false
        /// SENDER, as qmail-local sets it for what a .qmail file runs and sends on.
        var localSender: Octets?

        static func ofProcess() -> Caller {
            Caller(isRemote: variable("TCPREMOTEIP") != nil, isRelayClient: variable("RELAYCLIENT") != nil,
                   localSender: variable("RECIPIENT") == nil ? nil : variable("SENDER"))
        }

        private static func variable(_ name: String) -> Octets? { unsafe getenv(name).map { unsafe Octets(String(cString: $0).utf8) } }
    }

    /// - Returns: the exit status.
    public static func run(_ settings: HookSettings) -> CInt {
        let voice = HookVoice()
        guard !Execution.isThisProgram(settings.qmailQueue) else {
            voice.say("qmail_queue: \(settings.qmailQueue) is guardd itself")
            return Status.configuration
        }
        guard let message = Pipe(), let envelope = Pipe() else { return Status.refusedForNow }
        guard case .success(let process) = Execution.start(
            settings.qmailQueue, [Octets(settings.qmailQueue.utf8)], input: message.reading, output: envelope.reading)
        else { return Status.notRun }
        // After the start: the real one inherits what the caller had.
        signal(SIGPIPE, SIG_IGN)
        message.closeReading()
        envelope.closeReading()
        let outcome = pass(message, envelope, settings, voice)
        message.closeWriting()
        envelope.closeWriting()
        let status = Execution.wait(for: process) ?? Status.bug
        return outcome ?? status
    }

    /// - Returns: nil: the real one's exit status is the answer; else the answer, and the real one has no whole envelope.
    private static func pass(_ message: Pipe, _ envelope: Pipe, _ settings: HookSettings, _ voice: HookVoice) -> CInt? {
        var head: Octets = []
        let isRead = copy(0) { piece in
            if head.count < QmailHeader.limit { head += piece.prefix(QmailHeader.limit - head.count) }
            message.write(piece)
        }
        guard isRead else { return Status.readError }
        message.closeWriting()
        var reader = QmailEnvelope()
        var outcome: CInt?
        let isEnvelopeRead = copy(1) { piece in
            guard outcome == nil else { return }
            guard !reader.isComplete else { return envelope.write(piece) }
            let count = reader.read(piece)
            envelope.write(piece.prefix(count))
            guard reader.isComplete else { return }
            if let trouble = record(reader, head, settings) {
                voice.say("a mail was not queued, because it can't be recorded: \(trouble)")
                outcome = Status.refusedForNow
            } else {
                envelope.write(piece.dropFirst(count))
            }
        }
        return outcome ?? (isEnvelopeRead ? nil : Status.readError)
    }

    /// - Returns: nil when the mail may go on, else why not.
    private static func record(_ envelope: QmailEnvelope, _ head: Octets, _ settings: HookSettings) -> String? {
        let caller = Caller.ofProcess()
        let header = QmailHeader(head, isQueued: false, isRemote: caller.isRemote)
        let record = record(header, envelope.sender, envelope.recipients, caller)
        guard !record.isNone else { return nil }
        let recorder = HookRecorder(settings: settings)
        if header.overflowed, !record.hasIDs { return HookFailure.settle(HookFailure.tooLarge, recorder) }
        let entries = record.entries(sender: envelope.sender, recipients: envelope.recipients, hasAllRecipients: envelope.hasAllRecipients)
        guard case .failed(let reason) = recorder.record(entries) else { return nil }
        return HookFailure.settle(reason, recorder)
    }

    /// Which ids count: none of a bounce, of what a stranger's client brings, of what a .qmail file sends on under the sender
    /// that it came with; under another sender they count for that one.
    static func record(_ header: QmailHeader, _ sender: Octets, _ recipients: [Octets], _ caller: Caller) -> QmailRecord {
        guard !QmailOrigin.isBounce(sender) else { return .none }
        if caller.isRemote { return caller.isRelayClient ? QmailOrigin.relayed(header) : .none }
        if let before = caller.localSender {
            return before == sender || QmailOrigin.plain(before) == QmailOrigin.plain(sender) ? .none : .bound(header.allMessageIDs)
        }
        // A program of a .qmail file may have lost qmail-local's variables; the lines of the queue before this one tell.
        return QmailOrigin.sentByProgram(header, sender: sender, recipients: recipients)
    }

    /// Reads a descriptor to its end.
    ///
    /// - Returns: whether the end came.
    private static func copy(_ descriptor: CInt, _ piece: (ArraySlice<UInt8>) -> Void) -> Bool {
        var buffer = Octets(repeating: 0, count: chunk)
        while true {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 }
            piece(buffer[..<count])
        }
    }
}

/// A pipe to a program that this one starts; not inherited but as its descriptor 0 or 1.
private final class Pipe {
    let reading: CInt
    private var writing: CInt
    private var isReadingOpen = true

    init?() {
        var ends: [CInt] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        closeReading()
        closeWriting()
    }

    /// A reader that has gone is no fault here: the rest of the input is read all the same, and its exit status tells.
    func write(_ octets: ArraySlice<UInt8>) {
        var rest = octets
        while writing >= 0, !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(writing, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return closeWriting() }
            rest = rest.dropFirst(count)
        }
    }

    func closeReading() {
        guard isReadingOpen else { return }
        isReadingOpen = false
        _ = Glibc.close(reading)
    }

    func closeWriting() {
        guard writing >= 0 else { return }
        _ = Glibc.close(writing)
        writing = -1
    }
}
