// One file of a log, read by whole lines, whatever its name is by now. A file may be cut to nothing and written anew
// while it is followed: what stood before the place that was reached tells.

import Glibc

/// A file that is read as it grows. Used by one thread.
final class LogFile {
    enum Reading: Equatable {
        /// Whole lines, with their line ends.
        case lines(Octets)
        case nothing
        /// It is no longer the file that was read so far.
        case truncated
    }

    static let chunk = 256 << 10

    let identity: FileIdentity
    private let descriptor: Descriptor
    /// Octets that were read: the end of a line, or a place within one that is longer than a chunk.
    private(set) var offset = 0
    /// The octets before `offset`, at most `LogPosition.memory`.
    private(set) var memory: Octets = []
    /// Up to here it was read by an earlier run: what is told before it is known.
    private(set) var known = 0
    /// When it was last seen to have grown, in milliseconds of the monotonic clock.
    var grew = EventLoop.milliseconds()
    /// As it was when what was read was last compared with what is there.
    private var compared = stat()
    /// Nobody is expected to write it any more.
    var isSettled = false
    /// It was copied from the file that was followed: nobody ever writes it.
    var isCopy = false

    /// nil, with errno set, when it can't be opened or is no regular file.
    init?(path: String) {
        guard let opened = Descriptor(path, O_RDONLY | O_NONBLOCK) else { return nil }
        let status = opened.status
        guard status.st_mode & S_IFMT == S_IFREG else {
            errno = EINVAL
            return nil
        }
        identity = FileIdentity(status)
        descriptor = opened
    }

    var size: Int { Int(descriptor.status.st_size) }
    /// When it was last written, in nanoseconds since 1970.
    var modified: Int64 { descriptor.status.modified }
    /// It was deleted: when guardd has closed it, nobody finds it again.
    var isNameless: Bool { descriptor.status.st_nlink == 0 }
    /// Its first octets: a copy of it begins with the same.
    var head: Octets { descriptor.read(LogPosition.memory) }
    /// Octets that were written and not read.
    var behind: Int { max(0, size - offset) }

    var place: LogPosition.Place {
        .init(device: identity.device, inode: identity.inode, offset: offset, count: memory.count, hash: LogPosition.hash(memory))
    }

    /// Whether this is the file of a place, or a copy of it.
    func holds(_ place: LogPosition.Place) -> Bool {
        size >= place.offset && LogPosition.hash(octets(place.count, before: place.offset)) == place.hash
    }

    func holds(_ before: Octets, at offset: Int) -> Bool {
        size >= offset && octets(before.count, before: offset) == before
    }

    /// Goes to a place, and so far back before it that the mails that were under way are known again.
    func resume(at offset: Int, rewind: Int) {
        known = offset
        var start = max(0, offset - rewind)
        if start > 0 {
            let octets = descriptor.read(LogFile.chunk, from: start)
            start += octets.firstIndex(of: ASCII.lf).map { $0 + 1 } ?? octets.count
        }
        seek(min(start, offset))
    }

    func seek(_ place: Int) {
        offset = place
        memory = octets(LogPosition.memory, before: place)
    }

    func restart() {
        (offset, known, memory) = (0, 0, [])
    }

    func read() -> Reading {
        let status = descriptor.status
        if status.st_size < offset { return .truncated }
        if status.st_size == offset, isSame(status) { return .nothing }
        guard octets(memory.count, before: offset) == memory else { return .truncated }
        compared = status
        guard status.st_size > offset else { return .nothing }
        // What is known and what is new are told apart by the chunk.
        let limit = offset < known ? min(LogFile.chunk, known - offset) : LogFile.chunk
        var octets = descriptor.read(limit, from: offset)
        if let end = octets.lastIndex(of: ASCII.lf) {
            octets.removeLast(octets.count - end - 1)
        } else if octets.count < limit {
            return .nothing
        }
        take(octets)
        return .lines(octets)
    }

    /// Whether nobody has written since what was read was last compared: a file may be cut off and grow to the size it had.
    private func isSame(_ status: stat) -> Bool {
        compared.st_mtim.tv_sec == status.st_mtim.tv_sec && compared.st_mtim.tv_nsec == status.st_mtim.tv_nsec && compared.st_size == status.st_size
    }

    /// What stands behind the last line end of a file that nobody writes any more.
    func rest() -> Octets {
        let octets = descriptor.read(LogFile.chunk, from: offset)
        take(octets)
        return octets
    }

    private func take(_ octets: Octets) {
        offset += octets.count
        memory = Octets((memory + octets.suffix(LogPosition.memory)).suffix(LogPosition.memory))
    }

    private func octets(_ count: Int, before place: Int) -> Octets {
        let start = max(0, place - count)
        return descriptor.read(place - start, from: start)
    }
}
