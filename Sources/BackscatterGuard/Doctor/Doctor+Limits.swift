// Limits of kernel and service manager, against what the configuration promises.

import Glibc

extension Doctor {
    /// Descriptors besides those of sessions: log, listeners, queues of the workers.
    private static let ownDescriptors = 200

    var limitFindings: [Finding] { [descriptors, backlog].compactMap(\.self) }

    private var descriptors: Finding? {
        guard configuration.maxConnections > 0 else {
            return Finding(.limits, .warning, "max_connections = 0: nothing but the kernel limits how many clients there are", remedy: "write a number")
        }
        // A client and its upstream; guardd raises its soft limit to the hard one by itself.
        let needed = 2 * configuration.maxConnections + Doctor.ownDescriptors
        let (limit, whose) = running.map { ($0, "") } ?? (ownLimit, " (of this shell: guardd's own can't be seen)")
        guard limit < needed else { return Finding(.limits, .ok, "descriptors: \(limit)\(whose), \(needed) needed for max_connections = \(configuration.maxConnections)") }
        return Finding(
            .limits, .warning, "descriptors: \(limit)\(whose), but max_connections = \(configuration.maxConnections) needs \(needed)",
            remedy: "LimitNOFILE=\(needed) in the service (systemctl edit guardd), or ulimit -n; or write a smaller max_connections")
    }

    /// `Max open files  soft  hard  files` of the guardd that runs.
    private var running: Int? {
        guard let guardd, let text = SmallFile.read("\(system.proc)/\(guardd.pid)/limits"),
              let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Max open files") })
        else { return nil }
        let words = line.split(separator: " ")
        guard words.count > 4 else { return nil }
        return words[4] == "unlimited" ? .max : Int(words[4])
    }

    private var ownLimit: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_max)
    }

    private var backlog: Finding? {
        guard let text = SmallFile.read("\(system.proc)/sys/net/core/somaxconn"), let limit = Int(text.filter { $0.isNumber }) else { return nil }
        let wanted = Int(Listener.backlog)
        guard limit < wanted else { return Finding(.limits, .ok, "clients that may wait to be accepted: \(wanted)") }
        return Finding(
            .limits, .warning, "clients that may wait to be accepted: \(limit) (net.core.somaxconn), where guardd asks for \(wanted)",
            remedy: "sysctl net.core.somaxconn=\(wanted), and the same in /etc/sysctl.d, if many connect at once")
    }
}
