// Lookups: one snapshot for a whole inquiry, every table in use probed for every id. A known id costs as much as an
// unknown one, and what several weeks know of an id is one answer. Rows of days that have expired count as absent.

extension SentLogFile {
    /// - Complexity: (ids + references) × 2 + pairs, each bounded by Inquiry, times the weeks kept; no writing, no lock
    ///   but the one of the reader pool.
    func answer(_ inquiry: Inquiry, at now: Int64) throws(LMDBFailure) -> Findings {
        let ids = names(inquiry.ids), references = names(inquiry.references)
        let pairs = pairNames(inquiry)
        return try environment.read { transaction throws(LMDBFailure) in
            let weeks = try tables.weeks(transaction)
            let slots = weeks.used
            var findings = Findings(nothingFor: inquiry, .answered)
            for (index, forms) in ids.enumerated() {
                findings.ids[index] = try record(forms, inquiry.recipients, slots, weeks.floor, transaction)
            }
            for (index, forms) in references.enumerated() {
                findings.references[index] = try record(forms, inquiry.recipients, slots, weeks.floor, transaction)
            }
            for pair in pairs where !findings.knownPairs[pair.recipient] {
                findings.knownPairs[pair.recipient] = try isKnown(pair.name, slots, weeks.floor, transaction)
            }
            findings.isCovered = try tables.coverage(transaction).isComplete(from: now - times.bounceWindow, to: now)
            return findings
        }
    }

    /// Each as a key of the id tables.
    private func names(_ ids: [MessageID]) -> [[Hash128]] { ids.prefix(Inquiry.idLimit).map(key.names(of:)) }

    private func pairNames(_ inquiry: Inquiry) -> [(recipient: Int, name: Octets)] {
        var pairs: [(recipient: Int, name: Octets)] = []
        for failed in inquiry.failedRecipients {
            for (index, recipient) in inquiry.recipients.enumerated() {
                guard pairs.count < Inquiry.pairLimit else { return pairs }
                pairs.append((index, key.hash(pairFrom: recipient, to: failed).octets))
            }
        }
        return pairs
    }

    private func record(
        _ forms: [Hash128], _ recipients: [Octets], _ slots: [Int], _ floor: Int32, _ transaction: LMDBTransaction
    ) throws(LMDBFailure) -> SentRecord? {
        for name in forms {
            guard let found = try record(name, slots, floor, transaction) else { continue }
            if found.counts(for: recipients) { return found }
            // Bound to more addresses than its row keeps.
            for recipient in recipients.prefix(Inquiry.boundLimit) {
                if let bound = try record(key.bound(name, to: recipient), slots, floor, transaction) { return bound }
            }
        }
        return nil
    }

    /// What all weeks know of a name.
    private func record(
        _ name: Hash128, _ slots: [Int], _ floor: Int32, _ transaction: LMDBTransaction
    ) throws(LMDBFailure) -> SentRecord? {
        var found: SentRecord?
        for slot in slots {
            guard let row = try transaction.row(tables.ids[slot], name.octets) else { continue }
            guard let record = SentRecord(row: row, key: key) else { throw .notOurRow }
            guard Day.number(record.time) >= floor else { continue }
            if found == nil { found = record } else { found?.merge(record) }
        }
        return found
    }

    private func isKnown(_ name: Octets, _ slots: [Int], _ floor: Int32, _ transaction: LMDBTransaction) throws(LMDBFailure) -> Bool {
        for slot in slots {
            if let row = try transaction.row(tables.pairs[slot], name), let day = Int32(row: row), day >= floor { return true }
        }
        return false
    }
}
