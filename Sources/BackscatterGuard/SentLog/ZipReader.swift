// Logs of past days lie compressed. zlib reads them, and reads what is not compressed as it is.

import CZlib
import Glibc

/// Reads a file, `.gz` or plain, from its beginning. Used by one thread.
@safe final class ZipReader {
    private let file: gzFile

    /// nil, with errno set, when it can't be opened.
    init?(path: String) {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard let opened = unsafe gzdopen(descriptor, "rb") else {
            Glibc.close(descriptor)
            errno = ENOMEM
            return nil
        }
        unsafe file = opened
        unsafe gzbuffer(opened, 1 << 17)
    }

    deinit { unsafe gzclose_r(file) }

    /// Whether what was read last did not end in the middle of what was compressed.
    private var isWhole: Bool {
        var number: CInt = 0
        unsafe gzerror(file, &number)
        return number != Z_BUF_ERROR
    }

    /// The next octets, up to `count`; empty at the end; nil when the file is damaged or can't be read.
    func read(_ count: Int) -> Octets? {
        var octets = Octets(repeating: 0, count: count)
        let got = unsafe gzread(file, &octets, UInt32(clamping: count))
        guard got >= 0, got > 0 || isWhole else { return nil }
        octets.removeLast(count - Int(got))
        return octets
    }
}
