// What the reader has found so far, and the conclusions: the kind, the order of the ids, the failed recipients.

extension NotificationReader {
    struct Findings: Sendable {
        private static let idsKept = 32
        private static let addressesKept = 64
        private static let textRank = Int.max / 2

        private struct Original: Sendable {
            var id: MessageID
            var hash: UInt64
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
        /// Fields of the returned mail that counts most so far, read when they are asked for.
        private var details = FieldBodies()
        private var detailDepth = 0
        private var detailGroup = 0
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
        /// The conclusions, once the content has ended.
        private var settled: Evidence?
        private var isDispositionReport = false
        private var isFeedbackReport = false

        /// What the notification's own header says.
        private struct Outer: Sendable {
            var to: Octets = []
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
        outer.to = header.body(of: .to) ?? []
        outer.failedRecipients = header.reading(.failedRecipients) { AddressScanner.addresses(in: $0) } ?? []
        outer.isFromDaemon = header.isFromDaemon || header.has(.from) { $0.count >= 2 && $0.spells("<>", at: $0.count - 2) }
        outer.hasFailedSubject = header.hasFailedSubject
        outer.isWritten = !header.referenceIDs.isEmpty || header.names.contains(.mailer) || header.names.contains(.userAgent)
        outer.isReadReceipt = header.says(.subject) { Phrases.readReceipts.isPrefix(of: $0) }
        if (outer.isFromDaemon && outer.hasFailedSubject) || !outer.failedRecipients.isEmpty { words.needsWords = false }
        outer.isAutoReply = Self.isAutoReply(header)
    }

    private static func isAutoReply(_ header: HeaderBlock) -> Bool {
        if header.names.contains(.appleAction) || header.names.contains(.autoreply) || header.names.contains(.autorespond) { return true }
        if header.has(.autoSubmitted, { $0.spells("auto-replied") }) || header.says(.subject, Phrases.autoReplies.isFound) { return true }
        return header.has(.precedence) { precedence in
            let all = 0..<precedence.count
            return precedence.spells("auto_reply", in: all) || precedence.spells("auto-reply", in: all)
                || precedence.spells("junk", in: all) || precedence.spells("vacation", in: all)
        }
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
        guard let report = type.report else { return }
        switch report {
        case .deliveryStatus: isStatusReport = true
        case .disposition: isDispositionReport = true
        case .feedback: isFeedbackReport = true
        case .unnamed, .other: break
        }
        if isStatusReport { words.needsWords = false }
        words.isComplaint = isFeedbackReport
    }

    /// A group of report fields. RFC 3464 2.2, 2.3.
    mutating func takeReport(_ group: HeaderBlock, depth: Int, media: ContentType.Media) {
        if depth == 0, media != .deliveryStatus, media != .disposition, media != .feedbackReport,
           group.names.contains(.finalRecipient), group.names.reportNames >= 2 { hasReportText = true }
        if envelopeID == nil { envelopeID = group.body(of: .originalEnvelopeID) }
        declare(group.declaredIDs)
        if group.names.messageNames < 3 { declare(group.keptIDs) }
        var addresses: [Octets] = []
        for names in [Self.finalRecipients, Self.originalRecipients] {
            group.bodies.forEach(of: names) { if let address = AddressScanner.reported($0) { addresses.append(address) } }
        }
        if depth > 0 {
            Self.add(addresses, to: &nestedReported)
        } else if group.has(.action, Self.isPassing) {
            Self.add(addresses, to: &passed)
        } else {
            Self.add(addresses, to: &reported)
        }
    }

    private static let finalRecipients = FieldNames(.finalRecipient, .originalRcptTo, .removalRecipient)
    private static let originalRecipients = FieldNames(.originalRecipient, .actualRecipient)

    private static func isPassing(_ action: Span<UInt8>) -> Bool {
        let all = 0..<action.count
        return action.spells("delivered", in: all) || action.spells("relayed", in: all) || action.spells("expanded", in: all)
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
        details = header.bodies
    }

    /// Leaves out the id that Domino put in the place of the original's: it is the notification's own.
    private mutating func insert(_ ids: [MessageID], _ scope: NotificationReader.Scope) {
        for id in ids where !(id.isDomino && ownIDs.contains(id)) { insert(id, scope.group, scope.depth) }
    }

    private mutating func insert(_ id: MessageID, _ group: Int, _ depth: Int) {
        // Behind a full list of stronger ids there is no place.
        if originals.count >= Self.idsKept, let last = originals.last, last.group < group { return }
        let hash = BoundaryStack.hash(id.octets.span, 0..<id.octets.count)
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

    private static func add(_ addresses: [Octets], to list: inout [Octets]) {
        for address in addresses where list.count < addressesKept && !list.contains(address) { list.append(address) }
    }
}

/// The conclusions. Fields and texts that nothing else made superfluous are read here only, not while they come.
extension NotificationReader.Findings {
    var evidence: Evidence { settled ?? concluded }

    /// Nothing comes any more: the conclusions are drawn once.
    mutating func settle() { settled = concluded }

    private var concluded: Evidence {
        let kind = kind
        var evidence = Evidence()
        evidence.kind = kind
        if kind != .other, kind != .autoReply {
            evidence.originalMessageIDs = originals.map(\.id)
            if kind == .feedbackReport, originals.isEmpty, let id = words.complaintID { evidence.originalMessageIDs = [id] }
            for id in declaredIDs where !evidence.originalMessageIDs.contains(id) { evidence.originalMessageIDs.append(id) }
            evidence.failedRecipients = failedRecipients
            evidence.originalSender = sender
            evidence.originalDate = details.reading(.date) { $0.copied() }
            evidence.originAddresses = origins
            evidence.firstReceivedHost = firstReceivedHost
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
        if tellsOfIncomingMail, !(outer.isFromDaemon && outer.hasFailedSubject) { return false }
        let hasReturned = hasTextOriginal || hasPartOriginal || hasMarker
        if outer.isFromDaemon { return outer.hasFailedSubject || words.hasFailure || words.hasTrouble || hasReturned }
        if outer.hasFailedSubject { return words.hasFailure || hasTextOriginal || (hasPartOriginal && !outer.isWritten) }
        return words.hasFailure && !outer.isWritten && !outer.isAutoReply && (hasPartOriginal || hasTracedOriginal)
    }

    /// The mail shown came from elsewhere to the one who is notified: virus scanners, quarantines and moderators' desks tell of
    /// such, and its id is a stranger's. A mail returned to him would come from him, or at least from his domain. Mail to others
    /// of his domain may have gone through a list of his, so there the subject must not speak of failure.
    private var tellsOfIncomingMail: Bool {
        let notified = AddressScanner.addresses(in: outer.to.span, atMost: 16).map(ASCII.lowercased)
        let recipients = details.reading(.to) { AddressScanner.addresses(in: $0).map(ASCII.lowercased) } ?? []
        let domains = Self.domains(notified)
        let isOwn = recipients.contains(where: notified.contains)
        guard isOwn || (!outer.hasFailedSubject && Self.domains(recipients).contains(where: domains.contains)) else { return false }
        let senders = [FieldName.returnPath, .sender, .from].flatMap { name in
            Self.domains(details.reading(name) { AddressScanner.addresses(in: $0, atMost: 4) } ?? [])
        }
        return !senders.isEmpty && !senders.contains(where: domains.contains)
    }

    /// What stands behind the last `@` of each, in lower case.
    private static func domains(_ addresses: [Octets]) -> [Octets] {
        addresses.compactMap { address in
            address.lastIndex(of: ASCII.at).map { ASCII.lowercased(Octets(address[($0 + 1)...])) }
        }
    }

    private var failedRecipients: [Octets] {
        var found = reported
        Self.add(outer.failedRecipients, to: &found)
        if found.isEmpty { found = passed }
        Self.add(nestedReported, to: &found)
        guard found.isEmpty else { return found }
        let text = words.addresses
        for list in [text.named, text.refused] where found.isEmpty { found = withoutAddressees(list) }
        if found.isEmpty { found = details.reading(.to) { AddressScanner.addresses(in: $0) } ?? [] }
        if found.isEmpty { found = withoutAddressees(text.mentioned) }
        if found.isEmpty { found = text.named }
        return found
    }

    /// The notification's addressee is the sender of the returned mail; texts name him as well.
    private func withoutAddressees(_ list: [Octets]) -> [Octets] {
        guard !list.isEmpty else { return [] }
        let addressees = AddressScanner.addresses(in: outer.to.span, atMost: 16).map(ASCII.lowercased)
        return list.filter { !addressees.contains(ASCII.lowercased($0)) }
    }

    private var sender: Octets? {
        for name in [FieldName.returnPath, .sender, .from] {
            if let address = details.reading(name, { AddressScanner.addresses(in: $0, atMost: 1).first }) ?? nil { return address }
        }
        return nil
    }

    private var origins: [String] {
        var origins: [String] = []
        details.forEach(of: FieldNames(.received)) { body in
            if let address = ReceivedOrigin.address(in: body), !origins.contains(address) { origins.append(address) }
        }
        return origins
    }

    private var firstReceivedHost: Octets? {
        var host: Octets?
        details.forEach(of: FieldNames(.received)) { host = ReceivedOrigin.host(in: $0) ?? host }
        return host
    }
}
