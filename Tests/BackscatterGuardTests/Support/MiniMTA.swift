// An MTA that takes everything, for tests that care about what arrives and not about the single step: it is connected
// to a transcript and answers until both are quiet.

@testable import BackscatterGuard

final class MiniMTA {
    struct Mail: Equatable {
        var reversePath: String
        var forwardPaths: [String] = []
        /// As on the wire, without the end of DATA.
        var content: Octets = []
    }

    private enum State { case command, content, chunk(left: Int, isLast: Bool) }

    private(set) var mails: [Mail] = []
    private(set) var commands: [String] = []
    private var current: Mail?
    private var input: Octets = []
    private var state = State.command
    private var connections = 0
    let keywords: String
    /// First words of commands, and the reply that each gets instead of the usual one.
    var refusals: [String: String] = [:]

    init(keywords: String = SessionTranscript.keywords) { self.keywords = keywords }

    /// Passes octets both ways until nobody has anything to say.
    func serve(_ transcript: SessionTranscript) {
        var isBusy = true
        while isBusy {
            isBusy = false
            guard transcript.sink.isLinked else { continue }
            if transcript.sink.dials.count != connections {
                connections = transcript.sink.dials.count
                (current, input, state, isBusy) = (nil, [], .command, true)
                transcript.upstream("220 mx.example.org ESMTP")
            }
            input += transcript.sink.takeUpstreamOctets()
            while let reply = step() {
                transcript.upstream(reply)
                isBusy = true
            }
        }
    }

    /// Takes what is next from the input; nil when more is needed.
    private func step() -> String? {
        switch state {
        case .command:
            guard let lf = input.firstIndex(of: ASCII.lf) else { return nil }
            let line = String(decoding: input[..<(lf - 1)], as: UTF8.self)
            input.removeSubrange(...lf)
            commands.append(line)
            return reply(to: line)
        case .content:
            guard let end = endOfContent() else { return nil }
            current?.content = Octets(input[..<end])
            input.removeSubrange(..<(end + 3))
            return deliver()
        case .chunk(let left, let isLast):
            guard input.count >= left else { return nil }
            current?.content += input[..<left]
            input.removeSubrange(..<left)
            state = .command
            return isLast ? deliver() : "250 2.0.0 \(left) octets"
        }
    }

    private func endOfContent() -> Int? {
        if input.starts(with: Octets(".\r\n")) { return 0 }
        let end = Octets("\r\n.\r\n")
        guard input.count >= end.count else { return nil }
        return (0...(input.count - end.count)).first { input[$0..<($0 + end.count)].elementsEqual(end) }.map { $0 + 2 }
    }

    private func deliver() -> String {
        if let current { mails.append(current) }
        current = nil
        state = .command
        return "250 2.0.0 Ok: queued as 4TESTQUEUEID"
    }

    private func reply(to line: String) -> String? {
        let words = line.split(separator: " ").map(String.init)
        if let refusal = refusals[words.first ?? ""] { return refusal }
        switch words.first {
        case "EHLO":
            current = nil
            return keywords
        case "MAIL":
            guard current == nil else { return "503 5.5.1 nested MAIL" }
            current = Mail(reversePath: line)
            return "250 2.1.0 Ok"
        case "RCPT":
            guard current != nil else { return "503 5.5.1 need MAIL" }
            current?.forwardPaths.append(line)
            return "250 2.1.5 Ok"
        case "DATA":
            guard current?.forwardPaths.isEmpty == false else { return "503 5.5.1 need RCPT" }
            state = .content
            return "354 go on"
        case "BDAT":
            state = .chunk(left: Int(words[1]) ?? 0, isLast: words.count > 2)
            return step()
        case "RSET":
            current = nil
            return "250 2.0.0 Ok"
        case "QUIT": return "221 2.0.0 Bye"
        default: return "500 5.5.2 what"
        }
    }
}
