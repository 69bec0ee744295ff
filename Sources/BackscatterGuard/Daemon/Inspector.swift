// Reads stored messages as guardd reads notifications on the wire, asks the sent log if there is one, and lets the policy
// judge: for `guardd inspect`. Every message is taken for a notification, and its recipient for a protected one.

import Glibc

/// A file that can't be read.
public struct InspectionError: Error, Equatable, CustomStringConvertible {
    /// `file: reason`.
    public var description: String
    /// EX_NOINPUT of sysexits.h.
    public static let exitStatus: Int32 = 66
}

/// Inspects one message after another.
public struct Inspector {
    /// Enough for any header section that tells a recipient.
    private static let headerLimit = 128 << 10

    private let lookup: ((Inquiry) -> Findings)?
    private let recipient: InspectionRecipient?
    private let now: Int64

    /// - Parameters:
    ///   - lookup: asks the sent log, about every message; nil: only what can be said without one is said.
    ///   - recipient: whom the messages are for, without `<>`; nil: read from each.
    ///   - now: seconds since 1970.
    public init(lookup: ((Inquiry) -> Findings)?, recipient: String?, now: Int64) {
        self.lookup = lookup
        self.recipient = recipient.map { InspectionRecipient(octets: Octets($0.utf8), origin: "--recipient") }
        self.now = now
    }

    /// Inspects a file as it streams past; `-` is standard input.
    public func inspect(_ file: String) throws(InspectionError) -> Inspection {
        let descriptor = file == "-" ? STDIN_FILENO : unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw InspectionError(description: "\(file): \(errnoText(errno))") }
        defer { if file != "-" { close(descriptor) } }
        var reader = NotificationReader()
        var header = Octets()
        var buffer = Octets(repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw InspectionError(description: "\(file): \(errnoText(errno))")
            }
            let piece = buffer.span.extracting(0..<count)
            reader.read(piece)
            header.append(piece.extracting(0..<min(count, Self.headerLimit - header.count)))
        }
        reader.finish()
        return judge(reader.evidence, header: header, file: file)
    }

    /// Inspects a message that is in memory.
    func inspect(_ content: Octets, file: String) -> Inspection {
        var reader = NotificationReader()
        reader.read(content.span)
        reader.finish()
        return judge(reader.evidence, header: Octets(content.prefix(Self.headerLimit)), file: file)
    }

    private func judge(_ evidence: Evidence, header: Octets, file: String) -> Inspection {
        let recipient = recipient ?? InspectionRecipient.find(in: header)
        let path = recipient.flatMap { ForwardPath($0.octets) }
        let inquiry = Inquiry(
            ids: evidence.originalMessageIDs, references: evidence.referenceIDs, recipients: path.map { [$0.octets] } ?? [],
            failedRecipients: evidence.failedRecipients, countsReturn: false
        )
        let findings = lookup?(inquiry) ?? Findings(nothingFor: inquiry, .answered)
        return Inspection(
            file: file, evidence: evidence, judgement: judgement(evidence, findings, path), recipient: recipient, isLogAsked: lookup != nil,
            knownIDs: lookup == nil ? [] : findings.ids.map { $0 != nil }
        )
    }

    private func judgement(_ evidence: Evidence, _ findings: Findings, _ recipient: ForwardPath?) -> Judgement {
        let standIn = Octets("recipient@recipient.invalid".utf8)
        var settings = PolicySettings()
        settings.protectedDomains = [recipient?.domain, Octets("recipient.invalid".utf8)].compactMap { $0.flatMap(DomainPattern.init) }
        let policy = Policy(settings)
        guard let path = recipient ?? ForwardPath(standIn), let plain = ForwardPath(standIn) else { preconditionFailure("an address is none") }
        let treatment = policy.treatment(of: path)
        if treatment.isJudged || treatment.settled != nil {
            return policy.judge(evidence, findings, recipients: recipient.map { [$0] } ?? [], treatment: treatment, at: now)
        }
        // postmaster: said as in observe mode, so that one sees what was found.
        var judgement = policy.judge(evidence, findings, recipients: [path], treatment: policy.treatment(of: plain), at: now)
        judgement.wouldRefuse = judgement.wouldRefuse || judgement.verdict == .refuse
        judgement.verdict = .deliver
        return judgement
    }
}
