// The domains that this qmail takes from strangers: control/rcpthosts, a name a line, and beside it morercpthosts.cdb for
// sites with many. qmail-smtpd(8), qmail-newmrh(8); the file's form: cdb (D. J. Bernstein).

import Glibc

/// Names, and `.name` for those below it.
struct QmailHosts: Sendable {
    struct Fault: Error, Equatable {
        let path: String
        let number: CInt
    }

    static let none = QmailHosts(names: [], more: nil)
    private static let limit = 4 << 20

    let names: Set<Octets>
    let more: ConstantDatabase?

    /// - Parameter path: of rcpthosts; the other file stands beside it. Neither need be there.
    static func read(_ path: String) -> Result<QmailHosts, Fault> {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let morePath = folder + "morercpthosts.cdb"
        let file = HookFile.contents(of: path, limit: limit)
        if file == nil, errno != ENOENT { return .failure(Fault(path: path, number: errno)) }
        let more = ConstantDatabase(morePath)
        if more == nil, errno != ENOENT { return .failure(Fault(path: morePath, number: errno)) }
        return .success(QmailHosts(names: QmailOrigin.list(file ?? []), more: more))
    }

    /// - Parameter domain: in lower case.
    func hold(_ domain: Octets) -> Bool {
        if QmailOrigin.holds(names, domain) { return true }
        guard let more else { return false }
        return domain.indices.contains { ($0 == 0 || domain[$0] == ASCII.dot) && more.holds(Octets(domain[$0...])) }
    }
}

/// A cdb file: 256 places of tables of (hash, position), each position a record of key and value. Little-endian.
///
/// Reads only what a lookup needs. A file that is cut holds what can be found in it.
final class ConstantDatabase: Sendable {
    private let file: Descriptor

    /// - Returns: nil with errno when it can't be opened.
    init?(_ path: String) {
        guard let file = Descriptor(path, O_RDONLY) else { return nil }
        self.file = file
    }

    func holds(_ key: Octets) -> Bool {
        var hash: UInt32 = 5381
        for octet in key { hash = ((hash << 5) &+ hash) ^ UInt32(octet) }
        guard let table = pair(at: Int(hash & 255) * 8), table.second > 0 else { return false }
        var slot = (hash >> 8) % table.second
        for _ in 0..<table.second {
            guard let entry = pair(at: Int(table.first) + Int(slot) * 8), entry.second != 0 else { return false }
            if entry.first == hash, let sizes = pair(at: Int(entry.second)), Int(sizes.first) == key.count,
               octets(Int(entry.second) + 8, key.count) == key
            { return true }
            slot = slot + 1 == table.second ? 0 : slot + 1
        }
        return false
    }

    private func pair(at place: Int) -> (first: UInt32, second: UInt32)? {
        guard let octets = octets(place, 8) else { return nil }
        let numbers = octets.map { UInt32($0) }
        return (numbers[0] | numbers[1] << 8 | numbers[2] << 16 | numbers[3] << 24, numbers[4] | numbers[5] << 8 | numbers[6] << 16 | numbers[7] << 24)
    }

    private func octets(_ place: Int, _ count: Int) -> Octets? {
        let octets = file.read(count, from: place)
        return octets.count == count ? octets : nil
    }
}
