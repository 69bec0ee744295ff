// SIGINT and SIGTERM in the middle of a selftest: it stops, but not before the sent log has forgotten its probe.

import Glibc
import Synchronization

enum Interruption {
    /// Milliseconds after which a wait looks whether it is over.
    static let grain: Int64 = 200
    private static let flag = Atomic(false)

    static var hasCome: Bool { flag.load(ordering: .relaxed) }

    /// From now on the signals only leave word.
    static func watch() {
        // Made here: a signal handler must not be the first to touch it.
        flag.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM, SIGHUP] { _ = signal(number, interruptionCame) }
    }

    fileprivate static func note() { flag.store(true, ordering: .relaxed) }
}

private func interruptionCame(_: CInt) { Interruption.note() }
