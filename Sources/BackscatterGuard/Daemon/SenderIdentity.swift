// Who this machine is among the senders of a shared log, kept next to its journal: a number, the log that it belongs to,
// and whether it has said that all its mail is recorded.

import Glibc

/// Stored as three words: number and epoch in hexadecimal, `started` or `new`.
struct SenderIdentity: Equatable {
    let number: String
    /// Of the log that knows this sender; empty: none does yet.
    var epoch = ""
    var hasStarted = false

    /// Reads the file, or makes a new identity, durably.
    static func load(_ path: String) throws(SentLogError) -> SenderIdentity {
        if let file = Descriptor(path, O_RDONLY) {
            let words = String(decoding: file.read(200), as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
            if words.count == 3, words[0].count == 16 {
                return SenderIdentity(number: words[0], epoch: words[1] == "-" ? "" : words[1], hasStarted: words[2] == "started")
            }
        }
        let digits = String(UInt64.random(in: 1 ... .max), radix: 16)
        let identity = SenderIdentity(number: String(repeating: "0", count: 16 - digits.count) + digits)
        try identity.save(path)
        return identity
    }

    func save(_ path: String) throws(SentLogError) {
        let draft = path + ".new"
        guard let file = Descriptor(draft, O_WRONLY | O_CREAT | O_TRUNC),
              file.writeDurably(Octets("\(number) \(epoch.isEmpty ? "-" : epoch) \(hasStarted ? "started" : "new")\n".utf8)), unsafe rename(draft, path) == 0
        else { throw errno == ENOSPC ? .diskFull(file: path) : .cannotOpen(file: path, reason: systemReason()) }
    }
}
