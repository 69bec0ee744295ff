// The key's file: 64 hexadecimal digits and a line end, readable by its owner only. It is made once, together with
// the log, and can be copied to the other machines of a site that shares one log.

import Glibc

struct SentKeyFile {
    let path: String
    let directory: String

    /// - Returns: nil when there is no such file.
    /// - Throws: keyExposed, keyMalformed, cannotOpen.
    func load() throws(SentLogError) -> SentKey? {
        guard let file = Descriptor(path, O_RDONLY) else {
            if errno == ENOENT { return nil }
            throw .cannotOpen(file: path, reason: systemReason())
        }
        let mode = file.status.st_mode
        guard mode & 0o077 == 0 else { throw .keyExposed(file: path, mode: UInt32(mode & 0o7777)) }
        var text = file.read(2 * SentKey.size + 3)
        while text.last == ASCII.lf || text.last == ASCII.cr { text.removeLast() }
        guard let secret = SentKeyFile.secret(text), let key = SentKey(secret) else { throw .keyMalformed(file: path) }
        return key
    }

    /// Makes a new key. It is durable under its name before this returns, or not there at all.
    func make() throws(SentLogError) -> SentKey {
        guard let key = SentKey.random() else { throw .failed(file: path, reason: "the system gives no random numbers") }
        let draft = path + ".new"
        unsafe unlink(draft)
        guard let file = Descriptor(draft, O_WRONLY | O_CREAT | O_EXCL) else { throw failure() }
        guard file.writeDurably(SentKeyFile.text(key.secret)) else { throw failure() }
        guard unsafe rename(draft, path) == 0, Descriptor.syncDirectory(directory) else { throw failure() }
        return key
    }

    private func failure() -> SentLogError {
        errno == ENOSPC ? .diskFull(file: path) : .cannotOpen(file: path, reason: systemReason())
    }

    static func text(_ secret: Octets) -> Octets {
        let digits = Octets("0123456789abcdef".utf8)
        return secret.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] } + [ASCII.lf]
    }

    static func secret(_ text: Octets) -> Octets? {
        guard text.count == 2 * SentKey.size else { return nil }
        var secret = Octets()
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = digit(text[index]), let low = digit(text[index + 1]) else { return nil }
            secret.append(high << 4 | low)
        }
        return secret
    }

    private static func digit(_ octet: UInt8) -> UInt8? {
        switch ASCII.lowercase(octet) {
        case ASCII.zero...ASCII.nine: octet - ASCII.zero
        case 0x61...0x66: ASCII.lowercase(octet) - 0x57
        default: nil
        }
    }
}
