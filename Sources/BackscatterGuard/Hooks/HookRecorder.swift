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

    /// More than a line of the spool has around it.
    private static let itemHead = 100

    let settings: HookSettings

    func record(_ entries: [SentEntry]) -> Outcome {
        let lines = entries.filter { !$0.isEmpty }.flatMap(RecordLine.lines)
        return lines.isEmpty ? .durable : tell(lines, SpoolItem.Kind.record)
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
        var rest = lines[...]
        while !rest.isEmpty {
            // As many as a file may hold, and one at least.
            var octets = 0
            let count = max(1, rest.prefix { line in
                octets += line.count + HookRecorder.itemHead
                return octets <= SpoolFolder.fileLimit / 2
            }.count)
            let items = rest.prefix(count).map { SpoolItem(kind: kind($0), time: now) }
            if let reason = SpoolFolder(path: settings.spoolDirectory).put(items) { return .failed(reason) }
            rest = rest.dropFirst(count)
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
