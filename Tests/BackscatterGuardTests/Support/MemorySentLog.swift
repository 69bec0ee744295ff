// A sent log for sessions under test: a dictionary that answers at once.

@testable import BackscatterGuard

struct MemorySentLog {
    var ids: [Octets: SentRecord] = [:]
    /// `sender>recipient`
    var pairs: Set<String> = []
    var isCovered = true
    var availability = Findings.Availability.answered
    var timesReturned = 1

    mutating func know(_ id: String, from reversePath: String = "ann@example.org") {
        ids[Octets(id)] = SentRecord(time: 0, recipients: 1, reversePath: Octets(reversePath))
    }

    func answer(_ inquiry: Inquiry) -> Findings {
        let found = inquiry.ids.map { ids[$0.octets] }
        let pairs = inquiry.recipients.map { recipient in
            inquiry.failedRecipients.contains { failed in
                self.pairs.contains("\(String(decoding: recipient, as: UTF8.self))>\(String(decoding: failed, as: UTF8.self))")
            }
        }
        return Findings(
            availability: availability, ids: found, references: inquiry.references.map { ids[$0.octets] }, knownPairs: pairs,
            isCovered: isCovered, timesReturned: inquiry.countsReturn && found.contains { $0 != nil } ? timesReturned : 0
        )
    }
}
