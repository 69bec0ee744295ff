// Entries of the systemd journal as `journalctl --output=json` tells them: one object a line, cut out of octets in any
// division. Programs of this machine wrote what stands in them: any text, any length.
//
// Source: systemd, "Journal JSON Format".

import Foundation

/// A message of the journal.
struct JournalMessage: Sendable, Equatable {
    /// Longest line that is looked at, in octets; no mail server's message makes one that long.
    static let lineLimit = 64 << 10
    private static let cursorLimit = 512
    /// MESSAGE_ID of the entry by which journald tells that it dropped messages of a service (sd-messages.h).
    static let suppression = "a596d6fe7bfa4994828e72309e95d61e"

    let cursor: String
    /// Seconds since 1970.
    let time: Int64
    /// Empty: it tells none.
    let program: Octets
    /// 0: it tells none.
    let process: Int
    /// nil: none, or one that the journal does not tell.
    let text: Octets?
    /// journald has dropped messages.
    let isSuppression: Bool
    /// When it was put into journald's socket, in microseconds since 1970; nil: not known.
    let sent: Int64?

    init(cursor: String, time: Int64, program: Octets, process: Int, text: Octets?, isSuppression: Bool, sent: Int64? = nil) {
        (self.cursor, self.time, self.program, self.process, self.text, self.isSuppression) = (cursor, time, program, process, text, isSuppression)
        self.sent = sent
    }

    /// - Parameter line: without its line end.
    /// - Returns: nil for what is no entry.
    init?(_ line: some Collection<UInt8>) {
        guard line.count <= JournalMessage.lineLimit, let fields = try? JSONDecoder().decode(Fields.self, from: Data(line)) else { return nil }
        guard JournalMessage.isCursor(fields.__CURSOR), let microseconds = Int64(fields.__REALTIME_TIMESTAMP), microseconds >= 0 else { return nil }
        cursor = fields.__CURSOR
        time = microseconds / 1_000_000
        program = fields.SYSLOG_IDENTIFIER?.octets ?? []
        process = fields.SYSLOG_PID?.octets.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        text = fields.MESSAGE?.octets
        isSuppression = fields.MESSAGE_ID?.octets == Octets(JournalMessage.suppression.utf8)
        sent = fields._SOURCE_REALTIME_TIMESTAMP?.octets.flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
    }

    /// Whether a text may be handed to journalctl as a cursor.
    static func isCursor(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= cursorLimit && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The boot in which the entry of a cursor was written; nil: it does not tell.
    static func boot(of cursor: String) -> String? {
        cursor.split(separator: ";").first { $0.hasPrefix("b=") }.map { String($0.dropFirst(2)) }
    }

    /// Whether two cursors name one entry. journald gives it another number (`s`, `i`) when it moves it from /run to /var.
    static func isSame(_ one: String, _ other: String) -> Bool {
        one == other || marks(one).map { $0 == marks(other) } == true
    }

    /// Boot, times and check of an entry; nil: not all are there.
    private static func marks(_ cursor: String) -> [Substring]? {
        let parts = cursor.split(separator: ";")
        let found = ["b=", "m=", "t=", "x="].compactMap { name in parts.first { $0.hasPrefix(name) } }
        return found.count == 4 ? found : nil
    }

    /// The entry tells that messages of the mail server, or of nobody knows whom, are lost.
    ///
    /// - Parameter service: as its unit's name has it.
    func tellsLoss(of service: String) -> Bool {
        guard isSuppression, let text else { return false }
        let words = ASCII.washed(text, limit: 400)
        // A server that was started by hand logs from the scope of a login, not from a unit of its own.
        return words.contains(service) || !words.contains(".service")
    }

    private struct Fields: Decodable {
        let __CURSOR: String
        let __REALTIME_TIMESTAMP: String
        let SYSLOG_IDENTIFIER: Value?
        let SYSLOG_PID: Value?
        let MESSAGE: Value?
        let MESSAGE_ID: Value?
        let _SOURCE_REALTIME_TIMESTAMP: Value?
    }

    /// Text, octets (where it is no UTF-8), or what counts as none: null, several values of one name.
    private struct Value: Decodable {
        let octets: Octets?

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                octets = Octets(text.utf8)
            } else {
                octets = try? container.decode(Octets.self)
            }
        }
    }
}

/// Cuts octets into lines; drops those that are too long.
struct JournalLines: Sendable {
    private var carried: Octets = []
    private var isTooLong = false

    /// The entries of the lines that end in `octets`, in order.
    mutating func read(_ octets: Octets) -> [JournalMessage] {
        var messages: [JournalMessage] = []
        var start = octets.startIndex
        while let end = octets[start...].firstIndex(of: ASCII.lf) {
            carry(octets[start..<end])
            if !isTooLong, let message = JournalMessage(carried) { messages.append(message) }
            forget()
            start = end + 1
        }
        carry(octets[start...])
        return messages
    }

    /// The line that began does not go on.
    mutating func forget() {
        carried.removeAll(keepingCapacity: true)
        isTooLong = false
    }

    private mutating func carry(_ part: ArraySlice<UInt8>) {
        isTooLong = isTooLong || carried.count + part.count > JournalMessage.lineLimit
        if !isTooLong { carried += part }
    }
}
