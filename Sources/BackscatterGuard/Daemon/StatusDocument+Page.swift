// The document in words: what page and terminal say of it.

extension StatusDocument {
    /// `good`; `warn`: something wants attention; `bad`: no mail is taken, or none judged.
    var tone: String { !isReady ? "bad" : problems.isEmpty && isEnforced ? "good" : "warn" }

    public var headline: String {
        switch state {
        case "retiring": "a new guardd has taken over; this one ends with its sessions"
        case "stopping": "stopping"
        case _ where !isReady: "not ready"
        case _ where domains.isEmpty: "no domain is protected"
        case _ where domains.contains { $0.state == "not_covered" }: "observing: the sent log is not complete yet"
        case _ where domains.contains { $0.state == "blocked" }: "refusing forged bounces, but not for all domains"
        case _ where domains.allSatisfy { $0.state == "observed" }: "observing"
        default: "refusing forged bounces"
        }
    }

    /// Of the last day, or of the last two hours.
    private func sum(_ series: KeyPath<History, [Int]>) -> Int { history.last?[keyPath: series].reduce(0, +) ?? 0 }

    public var sessions: Int { workers.reduce(0) { $0 + $1.sessions } }

    var figures: [Figure] {
        [
            Figure(id: "refused", name: "refused, 24 h", value: Self.grouped(sum(\.refused))),
            Figure(id: "would-refuse", name: "would be refused, 24 h", value: Self.grouped(sum(\.wouldRefuse))),
            Figure(id: "delivered", name: "notifications delivered, 24 h", value: Self.grouped(sum(\.delivered))),
            Figure(id: "sessions", name: "open sessions", value: Self.grouped(sessions)),
            Figure(id: "ids", name: "Message-IDs in the sent log", value: sentLog.ids.map(Self.grouped) ?? sentLog.kind),
            Figure(id: "coverage", name: "sent log complete for", value: sentLog.recordedSince.map { Self.span(time - $0) } ?? "–"),
        ]
    }

    var eventRows: [[String]] {
        events.map { event in
            let others = event.count > 1 ? 0 : event.recipientCount - 1
            return [
                String(UTC.text(event.time).dropLast().map { $0 == "T" ? " " : $0 }), event.verdict + (event.wouldRefuse ? " (would refuse)" : ""),
                event.reason, event.count > 1 ? "\(event.count) times" : event.client ?? "unknown",
                (event.to.first ?? "") + (others > 0 ? " and \(others) more" : ""), event.messageId ?? "",
            ]
        }
    }

    var sourceRows: [[String]] {
        sources.map { source in
            let state = source.problem.map { "not alive: \($0)" } ?? (source.lag == nil ? "starting" : "alive, lag \(source.lag ?? 0) s")
            return ["\(source.name) (\(source.format))", "\(state); \(Self.grouped(source.lines)) lines, \(Self.grouped(source.mails)) mails of ours"]
        }
    }

    var pageView: Page {
        func tops(_ list: [Top]) -> [[String]] { list.map { [$0.name, String($0.count)] } }
        return Page(tone: tone, headline: headline, figures: figures, tables: [
            "events": eventRows, "hosts": tops(topHosts), "victims": tops(topVictims), "domains": domains.map { [$0.pattern, $0.text] },
            "upstreams": upstreamRows, "sources": sourceRows,
        ])
    }

    var upstreamRows: [[String]] { upstreams.map { [$0.name, $0.reason.map { reason in "down: \(reason)" } ?? $0.state] } }

    /// `12 345`: a narrow space for each thousand.
    static func grouped(_ number: Int) -> String {
        var text = ""
        for (place, digit) in String(number.magnitude).reversed().enumerated() {
            if place > 0, place % 3 == 0 { text.append("\u{202F}") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// `11 d`, `5 h`, `3 min`, `12 s`.
    static func span(_ seconds: Int64) -> String {
        switch max(0, seconds) {
        case let time where time >= 2 * 86_400: "\(time / 86_400) d"
        case let time where time >= 2 * 3_600: "\(time / 3_600) h"
        case let time where time >= 120: "\(time / 60) min"
        case let time: "\(time) s"
        }
    }
}
