// One thread waits, others wake it: a Linux eventfd, because a condition variable would need memory at a fixed address.

import CLMDB
import Glibc

/// A counter in the kernel. `raise` before `wait` is not lost; several raises may wake once.
final class Signal: Sendable {
    private let descriptor: CInt

    /// nil when the process has no descriptor left.
    init?() {
        descriptor = eventfd(0, CInt(EFD_CLOEXEC))
        guard descriptor >= 0 else { return nil }
    }

    deinit { Glibc.close(descriptor) }

    func raise() {
        var one: UInt64 = 1
        while unsafe write(descriptor, &one, 8) < 0, errno == EINTR {}
    }

    /// The same for so many milliseconds at most.
    ///
    /// - Parameter other: a descriptor that ends the wait when it is readable.
    func wait(atMost milliseconds: CInt, or other: CInt? = nil) {
        var queries = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: other ?? -1, events: Int16(POLLIN), revents: 0)]
        if unsafe poll(&queries, 2, milliseconds) > 0, queries[0].revents != 0 { wait() }
    }

    /// Blocks until raised since the last wait.
    func wait() {
        var count: UInt64 = 0
        while unsafe read(descriptor, &count, 8) < 0, errno == EINTR {}
    }
}
