// What the reader has found so far, and the conclusions: the kind, the order of the ids, the failed recipients.

extension NotificationReader {
    struct Findings: Sendable {
        private static let idsKept = 32
        private static let addressesKept = 64
        private static let textRank = Int.max / 2

        private struct Original: Sendable {
            var id: MessageID
            var hash: Int
            var group: Int
            var depth: Int
        }

        var words = DiagnosticText()
        var isBroken = false
        var hasMarker = false
        private(set) var idCount = 0

        private var originals: [Original] = []
        private var declaredIDs: [MessageID] = []
        private var referenceIDs: [MessageID] = []
        private var groups = 0
        private var hasTextOriginal = false
        private var hasPartOriginal = false
        private var hasTracedOriginal = false

        private var reported: [Octets] = []
        private var passed: [Octets] = []
        private var nestedReported: [Octets] = []
        private var originalTo: [Octets] = []
        private var detailDepth = 0
        private var detailGroup = 0
        private var sender: Octets?
        private var date: Octets?
        private var origins: [String] = []
        private var envelopeID: Octets?

        private var ownIDs: [MessageID] = []
        private var hasComplaint = false
        private var outer = Outer()
        private var hasDeliveryStatus = false
        private var hasReportText = false
        private var hasDisposition = false
        private var hasFeedback = false
        private var hasTnef = false
        private var isStatusReport = false
        private var isDispositionReport = false
        private var isFeedbackReport = false

        /// What the notification's own header says.
        private struct Outer: Sendable {
            var addressees: [Octets] = []
            var failedRecipients: [Octets] = []
            var isFromDaemon = false
            var hasFailedSubject = false
            var isAutoReply = false
            var isReadReceipt = false
            /// A person's program wrote it, or it answers a mail.
            var isWritten = false
        }

        /// The notification returned a mail, with an id or without.
        var hasReturnedMail: Bool { groups > 0 }
    }
}

extension NotificationReader.Findings {
    /// The notification returns one more mail.
    ///
    /// - Returns: its rank. A mail returned as a part counts more than one found in a text, which strangers may have written.
    mutating func beginGroup(fromText: Bool) -> Int {
        groups += 1
        if fromText { hasTextOriginal = true } else { hasPartOriginal = true }
        return fromText ? groups + Self.textRank : groups
    }

    /// The notification's own header section.
    mutating func takeOuter(_ header: HeaderBlock) {
        ownIDs = header.messageIDs
        referenceIDs = header.referenceIDs
        for id in header.keptIDs where !referenceIDs.contains(id) { referenceIDs.append(id) }
        outer.addressees = AddressScanner.addresses(in: header.body(of: .to) ?? [], atMost: 16).map(ASCII.lowercased)
        outer.failedRecipients = AddressScanner.addresses(in: header.body(of: .failedRecipients) ?? [])
        let from = (header.body(of: .from) ?? []).map(ASCII.lowercase)
        outer.isFromDaemon = Phrases.daemons.isFound(in: from) || from.suffix(2) == [ASCII.less, ASCII.greater]
        let subject = (header.body(of: .subject) ?? []).map(ASCII.lowercase)
        outer.hasFailedSubject = Phrases.failedSubjects.isFound(in: subject)
        outer.isWritten = !header.referenceIDs.isEmpty || header.names.contains(.mailer) || header.names.contains(.userAgent)
        outer.isReadReceipt = Phrases.readReceipts.isPrefix(of: subject.span)
        if (outer.isFromDaemon && outer.hasFailedSubject) || !outer.failedRecipients.isEmpty { words.needsWords = false }
        let precedence = header.body(of: .precedence) ?? []
        outer.isAutoReply = Phrases.autoReplies.isFound(in: subject)
            || ASCII.equal((header.body(of: .autoSubmitted) ?? []).prefix(12), "auto-replied")
            || ASCII.equal(precedence, "auto_reply") || ASCII.equal(precedence, "auto-reply") || ASCII.equal(precedence, "junk")
            || ASCII.equal(precedence, "vacation") || header.names.contains(.appleAction)
            || header.names.contains(.autoreply) || header.names.contains(.autorespond)
    }

    /// The type of the notification itself or of one of its own parts.
    mutating func takeStructure(_ type: ContentType) {
        switch type.media {
        case .deliveryStatus: hasDeliveryStatus = true
        case .disposition: hasDisposition = true
        case .feedbackReport: hasFeedback = true
        case .tnef: hasTnef = true
        default: break
        }
        guard type.isReport else { return }
        if ASCII.equal(type.reportType, "delivery-status") { isStatusReport = true }
        if ASCII.equal(type.reportType, "disposition-notification") { isDispositionReport = true }
        if ASCII.equal(type.reportType, "feedback-report") { isFeedbackReport = true }
        if isStatusReport { words.needsWords = false }
        words.isComplaint = isFeedbackReport
    }

    /// A group of report fields. RFC 3464 2.2, 2.3.
    mutating func takeReport(_ group: HeaderBlock, depth: Int, media: ContentType.Media) {
        if depth == 0, media != .deliveryStatus, media != .disposition, media != .feedbackReport,
           group.names.contains(.finalRecipient), group.names.reportNames >= 2 { hasReportText = true }
        if envelopeID == nil { envelopeID = group.body(of: .originalEnvelopeID) }
        if group.names.messageNames < 3 { declare(group.declaredIDs + group.keptIDs) } else { declare(group.declaredIDs) }
        let addresses = (group.finalRecipients + group.originalRecipients).compactMap(AddressScanner.reported)
        let action = group.body(of: .action) ?? []
        if depth > 0 {
            Self.add(addresses, to: &nestedReported)
        } else if ASCII.equal(action, "delivered") || ASCII.equal(action, "relayed") || ASCII.equal(action, "expanded") {
            Self.add(addresses, to: &passed)
        } else {
            Self.add(addresses, to: &reported)
        }
    }

    /// The header section of a returned mail, or of a bounce around one.
    mutating func takeReturned(_ header: HeaderBlock, scope: NotificationReader.Scope, isBounce: Bool, fromText: Bool) {
        // The id of a bounce that somebody quotes in a text is that of a bounce, which nobody here sent.
        if !(isBounce && fromText) {
            insert(header.messageIDs, scope)
            insert(header.keptIDs, scope)
            insert(header.resentIDs, scope)
        }
        if header.names.contains(.hotmailRecipient) { hasComplaint = true }
        if header.looksReturned, !isBounce { hasTracedOriginal = true }
        let isFirst = detailGroup == 0 || scope.group < detailGroup || (detailGroup == scope.group && scope.depth > detailDepth)
        guard isFirst else { return }
        detailGroup = scope.group
        detailDepth = scope.depth
        date = header.body(of: .date)
        sender = Self.sender(of: header)
        originalTo = AddressScanner.addresses(in: header.body(of: .to) ?? [])
        origins = []
        for body in header.origins {
            if let address = ReceivedOrigin.address(in: body), !origins.contains(address) { origins.append(address) }
        }
    }

    /// Leaves out the id that Domino put in the place of the original's: it is the notification's own.
    private mutating func insert(_ ids: [MessageID], _ scope: NotificationReader.Scope) {
        for id in ids where !(id.isDomino && ownIDs.contains(id)) { insert(id, scope.group, scope.depth) }
    }

    private mutating func insert(_ id: MessageID, _ group: Int, _ depth: Int) {
        // Behind a full list of stronger ids there is no place.
        if originals.count >= Self.idsKept, let last = originals.last, last.group < group { return }
        let hash = id.hashValue
        guard !originals.contains(where: { $0.hash == hash && $0.id == id }) else { return }
        idCount += 1
        let place = originals.firstIndex { $0.group > group || ($0.group == group && $0.depth < depth) } ?? originals.count
        originals.insert(Original(id: id, hash: hash, group: group, depth: depth), at: place)
        if originals.count > Self.idsKept { originals.removeLast() }
    }

    private mutating func declare(_ ids: [MessageID]) {
        for id in ids where declaredIDs.count < Self.idsKept && !declaredIDs.contains(id) {
            declaredIDs.append(id)
            idCount += 1
        }
    }

    private static func sender(of header: HeaderBlock) -> Octets? {
        if let path = header.body(of: .returnPath) {
            if let address = AddressScanner.addresses(in: path, atMost: 1).first { return address }
        }
        for name in [FieldName.sender, .from] {
            if let body = header.body(of: name), let address = AddressScanner.addresses(in: body, atMost: 1).first { return address }
        }
        return nil
    }

    private static func add(_ addresses: [Octets], to list: inout [Octets]) {
        for address in addresses where list.count < addressesKept && !list.contains(address) { list.append(address) }
    }
}

extension NotificationReader.Findings {
    var evidence: Evidence {
        var evidence = Evidence()
        evidence.kind = kind
        if kind != .other, kind != .autoReply {
            evidence.originalMessageIDs = originals.map(\.id)
            if kind == .feedbackReport, originals.isEmpty, let id = words.complaintID { evidence.originalMessageIDs = [id] }
            for id in declaredIDs where !evidence.originalMessageIDs.contains(id) { evidence.originalMessageIDs.append(id) }
            evidence.failedRecipients = failedRecipients
            evidence.originalSender = sender
            evidence.originalDate = date
            evidence.originAddresses = origins
            evidence.originalEnvelopeID = envelopeID
        }
        evidence.referenceIDs = referenceIDs
        evidence.isUnreadable = isBroken
        return evidence
    }

    /// A delivery report wins over what else the message claims to be: else a receipt hung on a forged bounce would free it.
    private var kind: NotificationKind {
        if hasDeliveryStatus || isStatusReport { return .bounce }
        if hasFeedback || isFeedbackReport { return .feedbackReport }
        if hasDisposition || isDispositionReport { return .mdn }
        if isTextBounce { return .bounce }
        if hasTnef, outer.isReadReceipt { return .mdn }
        if hasComplaint { return .feedbackReport }
        return outer.isAutoReply ? .autoReply : .other
    }

    /// A bounce without report fields needs two signs that are independent of each other.
    private var isTextBounce: Bool {
        if hasReportText || !outer.failedRecipients.isEmpty || words.hasSignature { return true }
        let hasReturned = hasTextOriginal || hasPartOriginal || hasMarker
        if outer.isFromDaemon { return outer.hasFailedSubject || words.hasFailure || words.hasTrouble || hasReturned }
        if outer.hasFailedSubject { return words.hasFailure || hasTextOriginal }
        return words.hasFailure && !outer.isWritten && (hasPartOriginal || hasTracedOriginal)
    }

    private var failedRecipients: [Octets] {
        var found = reported
        Self.add(outer.failedRecipients, to: &found)
        if found.isEmpty { found = passed }
        Self.add(nestedReported, to: &found)
        for list in [words.named, words.refused] where found.isEmpty { found = withoutAddressees(list) }
        if found.isEmpty { found = originalTo }
        if found.isEmpty { found = withoutAddressees(words.mentioned) }
        if found.isEmpty { found = words.named }
        return found
    }

    /// The notification's addressee is the sender of the returned mail; texts name him as well.
    private func withoutAddressees(_ list: [Octets]) -> [Octets] {
        list.filter { !outer.addressees.contains(ASCII.lowercased($0)) }
    }
}
