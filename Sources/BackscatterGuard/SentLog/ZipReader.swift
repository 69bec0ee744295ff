// Logs of past days lie compressed, and mail in some Maildirs. zlib reads them, and reads what is not compressed as it is.

import CZlib
import Glibc

/// Reads a file, `.gz` or plain, from its beginning. Used by one thread.
@safe final class ZipReader {
    private let file: gzFile
    private let descriptor: CInt
    /// Read before, and to be read again.
    private var pushed: Octets = []

    /// nil, with errno set, when it can't be opened.
    convenience init?(path: String) {
        self.init(descriptor: unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC))
    }

    /// - Parameter descriptor: owned from now on; nil is returned, with errno as it is, for one below 0.
    init?(descriptor: CInt) {
        guard descriptor >= 0 else { return nil }
        guard let opened = unsafe gzdopen(descriptor, "rb") else {
            Glibc.close(descriptor)
            errno = ENOMEM
            return nil
        }
        self.descriptor = descriptor
        unsafe file = opened
        unsafe gzbuffer(opened, 1 << 17)
    }

    deinit { unsafe gzclose_r(file) }

    /// Of the file as it lies on disk.
    var status: stat {
        var status = stat()
        unsafe fstat(descriptor, &status)
        return status
    }

    /// Whether what was read last did not end in the middle of what was compressed.
    private var isWhole: Bool {
        var number: CInt = 0
        unsafe gzerror(file, &number)
        return number != Z_BUF_ERROR
    }

    /// Gives back what was read first: `read` begins with it again.
    func push(_ octets: Octets) { pushed = octets + pushed }

    /// The next octets, up to `count`; empty at the end; nil when the file is damaged or can't be read.
    func read(_ count: Int) -> Octets? {
        if !pushed.isEmpty {
            defer { pushed.removeFirst(min(count, pushed.count)) }
            return Octets(pushed.prefix(count))
        }
        var octets = Octets(repeating: 0, count: count)
        let got = unsafe gzread(file, &octets, UInt32(clamping: count))
        guard got >= 0, got > 0 || isWhole else { return nil }
        octets.removeLast(count - Int(got))
        return octets
    }
}
