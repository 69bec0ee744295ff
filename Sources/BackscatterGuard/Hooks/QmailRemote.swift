// guardd as qmail-remote: records the mail that qmail-rspawn hands over, then becomes the real qmail-remote. qmail-rspawn
// reads descriptors 1 and 2 as the report, so nothing may be said there but a report; descriptor 0 is the queue file,
// whose offset the real one needs where it is. Exit 0 and a report for every trouble: any other status would be taken
// as a permanent failure. MTA-FACTS 1.5; qmail-remote(8).

import Glibc

/// `qmail-remote host sender recipient…`
public enum QmailRemote {
    /// Records, and executes the real program with the same arguments, environment and descriptors. Returns only when that
    /// is not to be: what is to be written to descriptor 1, before exit 0.
    ///
    /// - Parameter arguments: with the program's name.
    public static func run(_ arguments: [Octets], _ settings: HookSettings) -> Octets {
        if arguments.count > 3, let trouble = record(sender: arguments[2], recipients: Array(arguments[3...]), settings) { return report(trouble) }
        guard !Execution.isThisProgram(settings.qmailRemote) else { return report("\(settings.qmailRemote) is guardd itself") }
        return report("can't run \(settings.qmailRemote): \(systemReason(Execution.become(settings.qmailRemote, arguments)))")
    }

    /// A temporary failure in the words of qmail-remote's report.
    public static func report(_ reason: String) -> Octets {
        // A line of the report would begin another field of it: none is in there.
        Octets("ZSent mail can't be recorded (guardd): \(ASCII.washed(reason.utf8)). (#4.3.0)\n".utf8) + [ASCII.nul]
    }

    /// - Returns: nil when the mail may go on, else why not.
    private static func record(sender: Octets, recipients: [Octets], _ settings: HookSettings) -> String? {
        guard !QmailOrigin.isBounce(sender) else { return nil }
        guard let octets = head(of: 0) else { return "the queue file can't be read: \(systemReason())" }
        let header = QmailHeader(octets)
        var hosts = QmailHosts.none
        if header.caller == .network {
            switch QmailHosts.read(settings.rcpthosts) {
            case .success(let read): hosts = read
            case .failure(let fault): return "\(fault.path): \(systemReason(fault.number))"
            }
        }
        let record = QmailOrigin.record(header, sender: sender, recipients: recipients, settings: settings) { hosts.hold($0) }
        guard !record.isNone else { return nil }
        let recorder = HookRecorder(settings: settings)
        if header.overflowed, !record.hasIDs { return HookFailure.settle(HookFailure.tooLarge, recorder) }
        guard case .failed(let reason) = recorder.record(record.entries(sender: sender, recipients: recipients)) else { return nil }
        return HookFailure.settle(reason, recorder)
    }

    /// The first octets of a file, its offset left alone; nil with errno when it can't be read.
    private static func head(of descriptor: CInt) -> Octets? {
        var octets = Octets(repeating: 0, count: QmailHeader.limit)
        var got = 0
        while got < octets.count {
            let count = unsafe octets.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress?.advanced(by: got), $0.count - got, off_t(got)) }
            if count < 0 {
                guard errno == EINTR else { return nil }
                continue
            }
            if count == 0 { break }
            got += count
        }
        return Octets(octets[..<got])
    }
}

/// What `record_failure` says about a mail that can't be recorded.
enum HookFailure {
    /// What a writer can do about it stands in docs/recording.md.
    static let tooLarge = "no Message-ID in the first \(QmailHeader.limit) octets of its header"

    /// - Returns: nil when it goes on all the same, with a mark that opens a hole in coverage.
    static func settle(_ reason: String, _ recorder: HookRecorder) -> String? {
        guard recorder.settings.passesUnrecorded else { return reason }
        if case .failed(let other) = recorder.mark() {
            HookLog.write("a mail left unrecorded, and the sent log could not be told: \(reason); \(other)")
        }
        return nil
    }
}

/// The system's log: the only place where a hook may always speak.
enum HookLog {
    static func write(_ text: String) {
        unsafe withVaList([ASCII.washed(text.utf8, limit: 600)]) { arguments in
            unsafe openlog("guardd", LOG_PID, LOG_MAIL)
            unsafe vsyslog(LOG_ERR, "%s", arguments)
        }
    }
}
