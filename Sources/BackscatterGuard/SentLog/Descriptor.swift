// An open file of the state directory, closed when its owner goes, and the few things the log does with one.

import Glibc

/// What identifies the file behind a path: a file that was removed or replaced has another.
struct FileIdentity: Sendable, Equatable {
    let device: UInt64
    let inode: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// nil when there is no such file.
    init?(path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Octets of a file; nil when there is none.
    static func size(of path: String) -> Int? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int(status.st_size) : nil
    }
}

/// Owns one descriptor. Never inherited by programs that guardd runs.
struct Descriptor: ~Copyable, Sendable {
    enum Lock { case shared, exclusive, exclusiveIfFree }

    let number: CInt

    /// nil, with errno set, when it can't be opened.
    init?(_ path: String, _ flags: CInt, mode: mode_t = 0o600) {
        number = unsafe open(path, flags | O_CLOEXEC, mode)
        if number < 0 { return nil }
    }

    deinit { if number >= 0 { Glibc.close(number) } }          // closing nothing would change errno

    /// Whether the lock was got; `.shared` and `.exclusive` wait for it.
    func lock(_ kind: Lock) -> Bool {
        let operation = switch kind {
        case .shared: LOCK_SH
        case .exclusive: LOCK_EX
        case .exclusiveIfFree: LOCK_EX | LOCK_NB
        }
        var outcome: CInt
        repeat { outcome = flock(number, operation) } while outcome < 0 && errno == EINTR
        return outcome == 0
    }

    func unlock() { flock(number, LOCK_UN) }

    var status: stat {
        var status = stat()
        unsafe fstat(number, &status)
        return status
    }

    /// Up to `count` octets from `offset`.
    func read(_ count: Int, from offset: Int = 0) -> Octets {
        var octets = Octets(repeating: 0, count: count)
        let got = unsafe pread(number, &octets, count, off_t(offset))
        return Octets(octets.prefix(max(0, got)))
    }

    /// Writes all octets at `offset` and waits until they are on disk; false with errno set when either fails.
    func writeDurably(_ octets: Octets, at offset: Int = 0) -> Bool {
        unsafe pwrite(number, octets, octets.count, off_t(offset)) == octets.count && fsync(number) == 0
    }

    /// Makes the names in a directory durable.
    static func syncDirectory(_ path: String) -> Bool {
        guard let directory = Descriptor(path, O_RDONLY | O_DIRECTORY) else { return false }
        return fsync(directory.number) == 0
    }
}

/// The text of errno.
func systemReason(_ code: CInt = errno) -> String { unsafe String(cString: strerror(code)) }
