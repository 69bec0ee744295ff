// Certificates and keys for a successor, which may not be able to read them again: they were read by root, and root is
// gone. They go in a sealed file that exists in memory only (memfd_create(2)), as one more descriptor.

import Glibc

/// Texts of files, by path.
struct HandedKeys: Sendable {
    private(set) var texts: [String: Octets] = [:]
    /// More is not believed to be keys.
    private static let limit = 64 << 20

    init(_ texts: [String: Octets] = [:]) { self.texts = texts }

    /// Reads what `descriptor` made; closes it.
    ///
    /// - Returns: nil when it is not what `descriptor` makes.
    init?(taking descriptor: CInt) {
        defer { _ = close(descriptor) }
        var status = stat()
        guard SystemCalls.isSealed(descriptor), unsafe fstat(descriptor, &status) == 0, status.st_size <= HandedKeys.limit else { return nil }
        var octets = Octets(repeating: 0, count: Int(status.st_size))
        let size = octets.count
        guard unsafe pread(descriptor, &octets, size, 0) == size else { return nil }
        var rest = octets[...]
        while !rest.isEmpty {
            guard let path = HandedKeys.piece(&rest), let text = HandedKeys.piece(&rest) else { return nil }
            texts[String(decoding: path, as: UTF8.self)] = Octets(text)
        }
    }

    /// A descriptor of the file, closed on exec; nil when there is nothing to hand over, or no memory.
    func descriptor() -> CInt? {
        guard !texts.isEmpty else { return nil }
        let made = SystemCalls.memoryFile()
        guard made >= 0 else { return nil }
        var octets = Octets()
        for (path, text) in texts.sorted(by: { $0.key < $1.key }) {
            for piece in [Octets(path.utf8), text] { octets += HandedKeys.length(piece.count) + piece }
        }
        guard unsafe pwrite(made, octets, octets.count, 0) == octets.count, SystemCalls.seal(made) else {
            _ = close(made)
            return nil
        }
        return made
    }

    private static func length(_ count: Int) -> Octets { (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }

    private static func piece(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard rest.count >= 4 else { return nil }
        let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard count <= rest.count - 4 else { return nil }
        defer { rest = rest.dropFirst(4 + count) }
        return rest.dropFirst(4).prefix(count)
    }
}
