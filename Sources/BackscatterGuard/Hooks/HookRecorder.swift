// How a hook makes a mail's record durable: the daemon's socket, else the spool. Never the log itself, whose key is the
// daemon's alone.

import Glibc

/// Records for one mail.
struct HookRecorder {
    enum Outcome: Equatable {
        case durable
        /// Neither way worked.
        case failed(String)
    }

    let settings: HookSettings

    func record(_ entry: SentEntry) -> Outcome {
        guard !entry.isEmpty else { return .durable }
        let lines = RecordLine.lines(of: entry)
        return tell(lines, SpoolItem.Kind.record)
    }

    /// The mail goes on without a record: coverage gets a hole. Best effort: the outcome is for the system's log.
    func mark() -> Outcome { tell([Octets("!unrecorded".utf8)]) { _ in .unrecorded } }

    private func tell(_ lines: [Octets], _ kind: (Octets) -> SpoolItem.Kind) -> Outcome {
        // A daemon that is being replaced closes connections that it has not served yet: the second finds its successor.
        for _ in 0..<2 {
            switch toDaemon(lines) {
            case nil: return .durable
            case .refused?: break
            case .unreachable?: continue
            }
            break
        }
        let now = Int64(time(nil))
        for line in lines {
            if let reason = SpoolFolder(path: settings.spoolDirectory).put([SpoolItem(kind: kind(line), time: now)]) { return .failed(reason) }
        }
        return .durable
    }

    private func toDaemon(_ lines: [Octets]) -> ControlClient.Failure? {
        do throws(ControlClient.Failure) {
            var client = try ControlClient(settings.controlSocket, deadline: settings.deadline / 2)
            var rest = lines[...]
            while !rest.isEmpty {
                try client.say(Array(rest.prefix(ControlClient.group)))
                rest = rest.dropFirst(ControlClient.group)
            }
            return nil
        } catch {
            return error
        }
    }
}
