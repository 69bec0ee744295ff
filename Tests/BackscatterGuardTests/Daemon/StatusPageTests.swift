import Testing
@testable import BackscatterGuard

@Suite("Status page: what is shown, and that nothing of a stranger is markup") struct StatusPageTests {
    private static let hostile = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"

    /// Everything that comes from elsewhere is hostile.
    private var document: StatusDocument {
        var document = StatusDocument()
        let text = Self.hostile
        document.state = "serving"
        document.isReady = true
        document.time = 1_795_348_461
        document.problems = [text]
        document.upstreams = [.init(name: text, state: "down", reason: text)]
        document.sources = [.init(name: text, format: text, isAlive: false, problem: text, behind: 0, lines: 12_345, mails: 1)]
        document.domains = [.init(pattern: text, state: "blocked", text: text)]
        document.events = [.init(time: 1_795_348_400, verdict: "refuse", reason: "never_sent", wouldRefuse: false, client: text, to: [text, "b"], recipientCount: 3, messageId: text, count: 1)]
        document.topHosts = [.init(name: text, count: 7)]
        document.topVictims = [.init(name: text, count: 8)]
        document.history = [.init(Array(repeating: VerdictTally(delivered: 1, wouldRefuse: 2, deferred: 3, refused: 4), count: 120), step: 60)]
        return document
    }

    @Test func nothingIsMarkup() {
        let html = StatusPage(document, hostname: Self.hostile, nonce: "n").html
        #expect(!html.contains("<script>alert") && !html.contains("<img"))
        // Its own two, and each of them with the nonce.
        #expect(html.matches(of: /<script/).count == 1 && html.matches(of: /<style/).count == 1)
        #expect(html.contains("<script nonce=\"n\">") && html.contains("<style nonce=\"n\">"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;&lt;img src=x onerror=alert(2)&gt; and 2 more"))
    }

    @Test func policyAllowsOwnNonceOnly() throws {
        let (first, second) = (StatusPage(document, hostname: "a"), StatusPage(document, hostname: "a"))
        #expect(first.nonce != second.nonce && first.nonce.count > 18 && first.nonce.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
        let policy = try #require(first.response.fields.first { $0.0 == "Content-Security-Policy" }?.1)
        #expect(policy.hasPrefix("default-src 'none'; script-src 'nonce-\(first.nonce)'; style-src 'nonce-\(first.nonce)';"))
        #expect(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"))
    }

    @Test func nothingFromElsewhereIsAskedFor() {
        let html = StatusPage(StatusDocument(), hostname: "mx.example.org").html
        #expect(!html.contains("http:") && !html.contains("https:") && !html.contains("//") && !html.contains("@import") && !html.contains("url("))
        #expect(html.contains("<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>"))
        #expect(html.contains("nothing judged yet"))
    }

    @Test func plot() {
        let plot = VerdictPlot(StatusDocument.History([VerdictTally(delivered: 1, refused: 3), VerdictTally(), VerdictTally(wouldRefuse: 2)], step: 60))
        #expect(plot.top == 5)
        #expect(plot.paths["delivered"] == "M0.0 120.0h204.0v30.0h-204.0z")
        #expect(plot.paths["refused"] == "M0.0 30.0h204.0v90.0h-204.0z")
        #expect(plot.paths["would_refuse"] == "M480.0 90.0h204.0v60.0h-204.0z" && plot.paths["deferred"] == "")
        #expect(VerdictPlot(StatusDocument.History([], step: 60)).top == 1)
        for (most, top) in [(0, 1), (1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (999, 1_000), (1_001, 2_000)] { #expect(VerdictPlot.scale(most) == top) }
        #expect(VerdictPlot.scale(.max) == .max)
    }

    @Test func numbersForPeople() {
        #expect(StatusDocument.grouped(0) == "0" && StatusDocument.grouped(999) == "999" && StatusDocument.grouped(-1_234_567) == "-1\u{202F}234\u{202F}567")
        #expect([-5, 90, 150, 7_200, 200_000].map { StatusDocument.span($0) } == ["0 s", "90 s", "2 min", "2 h", "2 d"])
    }

    @Test func screenAndExitStatus() {
        var status = document
        status.problems = []
        status.domains = [.init(pattern: "a.example", state: "enforced", text: "enforced, forged bounces are refused")]
        #expect(StatusScreen.exitStatus(status) == 0)
        let lines = StatusScreen.lines(status)
        #expect(lines.first?.contains("refusing forged bounces") == true && lines.contains("a.example: enforced, forged bounces are refused"))
        #expect(lines.contains("notifications in 2 h: 480 refused, 240 would be refused, 360 deferred, 120 delivered"))
        status.isReady = false
        #expect(StatusScreen.exitStatus(status) == 1)
        status.isReady = true
        status.problems = ["x"]
        #expect(StatusScreen.exitStatus(status) == 1 && StatusScreen.lines(status).contains("problem: x"))
        status.problems = []
        status.domains = []
        #expect(StatusScreen.exitStatus(status) == 1)
    }

    @Test func wholeDocumentGoesThroughJSON() {
        var document = document
        document.page = document.pageView
        #expect(StatusDocument(json: document.json) == document)
        #expect(String(decoding: document.json, as: UTF8.self).contains("\"message_id\":"))
    }
}

@Suite("Verdicts over time: a day of minutes") struct VerdictHistoryTests {
    private func refused(_ history: VerdictHistory, _ count: Int, width: Int = 1) -> [Int] { history.spans(count, width: width).map(\.refused) }

    @Test func minutesAreDifferences() {
        var history = VerdictHistory(at: 600)
        history.note(VerdictTally(refused: 2), at: 601)
        history.note(VerdictTally(refused: 5), at: 659)
        history.note(VerdictTally(refused: 6), at: 661)
        #expect(refused(history, 3) == [0, 5, 1])
        // Nothing came for two minutes.
        history.note(VerdictTally(refused: 8), at: 841)
        #expect(refused(history, 5) == [5, 1, 0, 0, 2])
        #expect(refused(history, 2, width: 3) == [6, 2])
    }

    @Test func isBounded() {
        var history = VerdictHistory(at: 0)
        for minute in 0..<3_000 { history.note(VerdictTally(refused: minute), at: Int64(minute) * 60) }
        #expect(refused(history, 2_000).count { $0 > 0 } <= VerdictHistory.minutes + 1)
        #expect(refused(history, 3).allSatisfy { $0 == 1 })
    }

    /// A clock that is set back, or far ahead, makes no false minutes.
    @Test func clockSteps() {
        var history = VerdictHistory(at: 600_000)
        history.note(VerdictTally(refused: 3), at: 600_001)
        history.note(VerdictTally(refused: 3), at: 600_061)
        history.note(VerdictTally(refused: 4), at: 300_000)
        #expect(refused(history, 5) == [0, 0, 0, 0, 1])
        history.note(VerdictTally(refused: 9), at: 300_000 + 900_000_000)
        #expect(refused(history, 5) == [0, 0, 0, 0, 5])
        history.note(VerdictTally(refused: 10), at: 300_060 + 900_000_000)
        #expect(refused(history, 2) == [5, 1])
    }
}
