// One mail of the demo as it went: what guardd answered, what its log says, what reached the sink, and whether all of it is
// as it must be.

/// A played mail.
struct DemoScene: Sendable {
    let mail: DemoMail
    let answer: DemoAnswer
    /// guardd's log line of the transaction; empty when there is none.
    let logLine: String
    /// What the sink took of it; nil when nothing came.
    let arrived: SinkMessage?

    /// What is not as it must be, in words; empty when all is well.
    var faults: [String] {
        var faults: [String] = []
        switch mail.outcome {
        case .sent, .relayed, .delivered:
            if answer.code != 250 { faults.append("must be answered 250") }
            if arrived == nil { faults.append("did not reach the mail server") }
            if let arrived, arrived.content != mail.content { faults.append("reached the mail server changed") }
        case .refused:
            if answer.code != 550 { faults.append("must be answered 550") }
            if arrived != nil { faults.append("reached the mail server") }
        }
        if !logLine.contains(expectedWords) { faults.append("the log must say \"\(expectedWords)\"") }
        return faults
    }

    /// As the log line has them.
    private var expectedWords: String {
        switch mail.outcome {
        case .sent: " send: "
        case .relayed: " relay: "
        case .delivered(let reason): "verdict=deliver reason=\(reason.rawValue) "
        case .refused(let reason): "verdict=refuse reason=\(reason.rawValue) "
        }
    }

    /// Why guardd answered so: the log's words and what they mean.
    var explanation: String {
        if let verdict = word("verdict"), let name = word("reason") {
            return "\(verdict), \(name): \(Reason(rawValue: name)?.explanation ?? "")"
        }
        if logLine.contains(" send: ") { return "send: its Message-ID is in the sent log now" }
        return logLine.contains(" relay: ") ? "relay: not a notification, passed through" : "no log line"
    }

    private func word(_ key: String) -> String? {
        logLine.split(separator: " ").first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.utf8.count + 1)) }
    }

    // MARK: The table

    /// For a terminal: a block of rows a mail.
    static func table(_ scenes: [DemoScene]) -> String {
        let width = scenes.map(\.mail.title.count).max() ?? 0
        let rule = String(repeating: "-", count: 100)
        var lines = [padded("came", width) + "  answered / why", rule]
        for scene in scenes {
            lines.append(padded(scene.mail.title, width) + "  " + scene.answer.reply)
            lines.append(padded("", width) + "  " + scene.explanation)
            lines += scene.faults.map { padded("", width) + "  WRONG: \($0)" }
        }
        return (lines + [rule]).joined(separator: "\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension Reason {
    /// In a few words, for people.
    var explanation: String {
        switch self {
        case .sent: "the Message-ID of the returned mail is in the sent log"
        case .otherDomain: "the Message-ID is in the sent log, but was sent from another domain"
        case .replayed: "the Message-ID is in the sent log, but came back very often"
        case .pair: "the recipient is known to have written to the address that failed"
        case .neverSent: "no Message-ID of the returned mail was ever sent from here"
        case .notCovered: "no Message-ID of the returned mail is known, but the sent log is not complete for long enough"
        case .undecided: "a bounce that names no Message-ID of the returned mail"
        case .unreadable: "a bounce whose structure is broken, and no Message-ID in it"
        case .tagged: "the recipient carries a tag that the mail server checks by itself"
        case .notABounce: "from <>, but not a bounce"
        case .logFailed: "the sent log can't be read"
        case .logSilent: "the shared sent log does not answer"
        }
    }
}
