// System calls that Swift does not see: they stand in the C shim, which this room alone may name.

import CEvent
import Glibc

/// Of this process; what they return is said at each.
enum SystemCalls {
    /// An empty file in memory, closed on exec, that can be sealed; negative with errno.
    static func memoryFile() -> CInt { guardd_memory_file() }

    /// Nobody can change the file any more, whoever has it.
    static func seal(_ file: CInt) -> Bool { guardd_seal(file) == 0 }
    static func isSealed(_ file: CInt) -> Bool { guardd_is_sealed(file) == 1 }

    /// Real, effective and saved ids are all these.
    static func isWholly(user: uid_t, group: gid_t) -> Bool { guardd_is_wholly(user, group) == 1 }

    /// Of the calling thread: all of them. False with errno.
    static func dropCapabilities() -> Bool { guardd_drop_capabilities() == 0 }

    /// Whether the calling thread has any, or nobody can tell.
    static var hasCapabilities: Bool { guardd_has_capabilities() != 0 }

    /// Nobody else of the same user may look into this process's memory, and no core dump holds it (prctl(2),
    /// PR_SET_DUMPABLE). Until the next exec.
    static func hideMemory() { _ = guardd_set_dumpable(0) }

    /// What the kernel knows of its clock.
    enum ClockState: Equatable, Sendable {
        /// Somebody disciplines it (NTP, PTP).
        case synchronised
        case free
        case unknown
    }

    /// adjtimex(2), asking only.
    static func clockState() -> ClockState {
        switch guardd_clock_state() {
        case 0: .synchronised
        case 1: .free
        default: .unknown
        }
    }
}
