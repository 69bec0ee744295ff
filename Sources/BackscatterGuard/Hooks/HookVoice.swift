// Why qmail-queue's hook did not queue a mail: its exit status says to the caller that, and not why. The system's log hears
// it, and whoever reads standard error, where that is safe.

import Glibc

/// Descriptor 2 as the caller gave it.
struct HookVoice {
    private let hasReader: Bool

    /// To be made before anything else is opened: a descriptor 2 that the caller closed would be another's by then.
    init() {
        var status = stat()
        // inetd gives the client's connection as descriptor 2. A pipe leads to the service's log, a terminal to a user.
        let kinds = [S_IFIFO, S_IFREG, S_IFCHR]
        hasReader = unsafe fstat(STDERR_FILENO, &status) == 0 && kinds.contains(status.st_mode & S_IFMT)
    }

    /// One line.
    func say(_ text: String) {
        HookLog.write(text)
        guard hasReader else { return }
        let line = Octets("guardd qmail-queue: \(ASCII.washed(text.utf8, limit: 600))\n".utf8)
        _ = unsafe write(STDERR_FILENO, line, line.count)
    }
}
