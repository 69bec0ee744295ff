// The envelope that callers of qmail-queue write: `F` sender NUL, `T` recipient NUL for each, then NUL. qmail-queue(8).

/// Reads it in any division, in bounded memory.
struct QmailEnvelope {
    /// Octets of recipients that are kept, for the pairs; and of a sender, far more than qmail-queue takes (1003).
    private static let kept = 262_144
    private static let longest = 4_096

    private enum Place { case start, sender, recipient, ended, malformed }
    private var place = Place.start
    private var hasSender = false
    private var current: Octets = []
    private var keptOctets = 0

    private(set) var sender: Octets = []
    private(set) var recipients: [Octets] = []
    /// None was too much to be kept.
    private(set) var hasAllRecipients = true

    /// The last NUL has come: the caller means it.
    var isComplete: Bool { place == .ended }

    /// Reads on up to the NUL that ends it, or to the end of `octets`.
    ///
    /// - Returns: how many octets were read, without that NUL.
    mutating func read(_ octets: ArraySlice<UInt8>) -> Int {
        for (index, octet) in octets.enumerated() {
            take(octet)
            if place == .ended { return index }
        }
        return octets.count
    }

    private mutating func take(_ octet: UInt8) {
        switch place {
        case .start:
            switch octet {
            case 0x46 where !hasSender: place = .sender
            case 0x54 where hasSender: place = .recipient
            case ASCII.nul where hasSender: place = .ended
            default: place = .malformed                     // the real qmail-queue refuses it
            }
        case .sender, .recipient:
            guard octet == ASCII.nul else {
                if current.count < QmailEnvelope.longest { current.append(octet) }
                return
            }
            endAddress()
        case .ended, .malformed: break
        }
    }

    private mutating func endAddress() {
        if place == .sender {
            sender = current
            hasSender = true
        } else if keptOctets + current.count + 64 <= QmailEnvelope.kept {
            keptOctets += current.count + 64
            recipients.append(current)
        } else {
            hasAllRecipients = false
        }
        current = []
        place = .start
    }
}
