// What guardd reads from one message and what it would decide: a page for people, a line of JSON for programs.

/// The result of inspecting one file.
public struct Inspection: Sendable {
    /// As it was named; `-` for standard input.
    public var file: String
    public var evidence: Evidence
    public var judgement: Judgement
    /// Whom the message was for, and where that was read; nil when nothing told.
    public var recipient: InspectionRecipient?
    /// The sent log was asked.
    public var isLogAsked: Bool
    /// Parallel to the evidence's original ids; empty when no log was asked.
    public var knownIDs: [Bool]

    /// An object without line ends. Ids stand without `<>`.
    public var json: String {
        func list(_ octets: [Octets]) -> String { InspectionJSON.array(octets.map { InspectionJSON.string($0) }) }
        return InspectionJSON.object([
            ("file", InspectionJSON.string(file)),
            ("kind", InspectionJSON.string(evidence.kind.rawValue)),
            ("original_message_ids", list(evidence.originalMessageIDs.map(\.octets))),
            ("reference_ids", list(evidence.referenceIDs.map(\.octets))),
            ("failed_recipients", list(evidence.failedRecipients)),
            ("original_sender", evidence.originalSender.map { InspectionJSON.string($0) } ?? "null"),
            ("origin_addresses", InspectionJSON.array(evidence.originAddresses.map { InspectionJSON.string($0) })),
            ("verdict", InspectionJSON.string(judgement.verdict.rawValue)),
            ("reason", InspectionJSON.string(judgement.reason.rawValue)),
        ])
    }

    /// For people: some lines, every stranger's octet washed.
    public var page: String {
        var rows: [(String, String)] = [("kind", kindText)]
        func add(_ name: String, _ texts: [String]) {
            for (index, text) in texts.enumerated() { rows.append((index == 0 ? name : "", text)) }
        }
        add("original id", evidence.originalMessageIDs.indices.map(idText))
        add("failed", evidence.failedRecipients.map { ASCII.washed($0) })
        add("original from", evidence.originalSender.map { [ASCII.washed($0)] } ?? [])
        add("original date", evidence.originalDate.map { [ASCII.washed($0)] } ?? [])
        add("envelope id", evidence.originalEnvelopeID.map { [ASCII.washed($0)] } ?? [])
        add("sent by host", evidence.originAddresses)
        add("refers to", evidence.referenceIDs.map { "<\(ASCII.washed($0.octets))>" })
        if evidence.isUnreadable { rows.append(("structure", "broken, or larger than guardd's limits")) }
        add("recipient", recipient.map { ["\(ASCII.washed($0.octets)) (\($0.origin))"] } ?? [])
        rows.append(("verdict", "\(judgement.verdict.rawValue), \(judgement.reason.rawValue): \(reasonText)"))
        if isLogAsked, judgement.wouldRefuse { rows.append(("", wouldRefuseText)) }
        let lines = rows.map { name, text in "  " + name + String(repeating: " ", count: 15 - name.utf8.count) + text }
        return ([ASCII.washed(Octets(file.utf8))] + lines).joined(separator: "\n")
    }

    private func idText(_ index: Int) -> String {
        let id = "<\(ASCII.washed(evidence.originalMessageIDs[index].octets))>"
        guard index < knownIDs.count else { return id }
        return id + (knownIDs[index] ? "  in the sent log" : "  not in the sent log")
    }

    /// Without a log nothing is known of coverage either.
    private var reasonText: String {
        guard !isLogAsked, judgement.reason == .notCovered else { return judgement.reason.explanation }
        return "whether it was sent is for the sent log to say (--state-dir names one)"
    }

    private var wouldRefuseText: String {
        recipient?.isPostmaster == true ? "(would be refused, but postmaster gets everything)" : "(would be refused if the sent log were complete for the bounce window)"
    }

    private var kindText: String {
        switch evidence.kind {
        case .bounce: "bounce"
        case .mdn: "mdn (read receipt)"
        case .autoReply: "auto-reply"
        case .feedbackReport: "feedback-report (complaint)"
        case .other: "other (no notification that returns a mail)"
        }
    }
}
