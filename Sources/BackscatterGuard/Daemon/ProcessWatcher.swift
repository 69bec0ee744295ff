// Who follows this very process, and would be misled by a successor: when it ends they start another guardd beside the
// successor, or end that with it. systemd is none of them: it is told which process is the main one.

import Glibc

enum ProcessWatcher: Equatable {
    /// This is process 1 of a container or namespace: with it ends everything in there.
    case container
    /// The parent is a supervisor of this name.
    case supervisor(String)

    /// Names of programs as the kernel has them: 15 octets at most.
    private static let supervisors: Set<String> = ["runsv", "supervise", "s6-supervise", "supervise-daemo", "supervisord", "perpd"]

    /// Of this process; nil: none that is known.
    static var found: ProcessWatcher? { of(process: getpid(), parent: SmallFile.read("/proc/\(getppid())/comm")) }

    /// - Parameter parent: the parent's name, with a line end.
    static func of(process: pid_t, parent: String?) -> ProcessWatcher? {
        if process == 1 { return .container }
        guard let name = parent?.split(separator: "\n").first.map(String.init), supervisors.contains(name) else { return nil }
        return .supervisor(name)
    }

    /// What to do instead.
    var text: String {
        switch self {
        case .container: "it is process 1, and everything ends with it; restart the container"
        case .supervisor(let name): "\(name) follows this process and would start another beside the new one; restart it by its supervisor (docs/operations.md)"
        }
    }
}
