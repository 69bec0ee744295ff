@testable import BackscatterGuard
import Testing

@Suite("Is it the named mail server's log, in a form that is read?") struct LogRecognitionTests {
    private static let own: [MTALogFormat: String] = [
        .postfix: "Nov 22 03:31:00 mx postfix/smtpd[1]: connect from x[1.2.3.4]", .exim: "2026-11-22 03:31:00 1xUyJc-0005wW-1W Completed",
        .sendmail: "Nov 22 03:31:00 mx sm-mta[1]: 6AM3ZXQb005652: to=<a@b.example>, stat=Sent",
    ]
    private static let other = "Nov 22 03:31:00 mx dovecot[1]: imap-login: Login"
    private static let json = #"{"time":"2026-11-22T03:31:00Z","prog":"postfix/smtpd","msg":"ABCDEF1: client=x"}"#
    private static let noise = "  at org.example.Main(Main.java:7)"
    private static let late = ReadLog.now + LogRecognition.patience

    private static func read(_ lines: [String], _ format: MTALogFormat = .postfix, at now: Int64 = ReadLog.now, into log: inout MTALog) {
        log.now = now
        log.read(Octets(lines.map { $0 + "\n" }.joined()).span)
        log.recognition.judge(at: now)
    }

    private static func doubt(_ lines: [String], _ format: MTALogFormat = .postfix, then later: [String] = [], late: Bool = false) -> LogDoubt? {
        var log = MTALog(format, ReadLog.site(), now: ReadLog.now, isUTC: true)
        read(lines, format, into: &log)
        if late || !later.isEmpty { read(later, format, at: Self.late, into: &log) }
        return log.recognition.doubt
    }

    private static func times(_ count: Int, _ line: String) -> [String] { Array(repeating: line, count: count) }

    @Test(arguments: MTALogFormat.allCases) func aLogThatCantBeCut(_ format: MTALogFormat) throws {
        #expect(Self.doubt(Self.times(99, Self.json), format) == nil)
        let found = try #require(Self.doubt(Self.times(100, Self.json), format))
        #expect(found.kind == .strange && found.lines == 100 && found.since == ReadLog.now && found.sample == Octets(Octets(Self.json).prefix(160)))
        // Few, but for minutes, and never one that could be read
        #expect(Self.doubt([Self.json], format, late: true) != nil)
        #expect(Self.doubt([try #require(Self.own[format])], format, late: true) == nil)
    }

    @Test func anotherMailServers() throws {
        for format in MTALogFormat.allCases {
            for other in MTALogFormat.allCases where other != format {
                let line = try #require(Self.own[other])
                #expect(Self.doubt(Self.times(99, line), format) == nil)
                #expect(Self.doubt(Self.times(100, line), format)?.kind == .foreign(other), "\(format) \(other)")
                #expect(Self.doubt([line], format, late: true)?.kind == .foreign(other))
                // Two on one machine
                #expect(Self.doubt([try #require(Self.own[format])] + Self.times(1_000, line), format, late: true) == nil)
            }
        }
    }

    /// A log that is shared by programs, whose mail server is quiet; then such whose form was changed.
    private static let stories: [([String], [String], Bool)] = [
        (times(1_000, other), [], false), ([own[.postfix] ?? ""] + times(1_000, other), [], false),
        // Traces of other programs
        (times(50, other) + times(9, noise) + times(50, other), [], false),
        ([own[.postfix] ?? ""] + times(99, noise), [], false), (times(1_000, other) + times(100, noise), [], false),
        ([own[.postfix] ?? "", json], [], false), ([own[.postfix] ?? ""] + times(9, json), [], false), ([""] + times(200, "   "), [], false),
        // The form was changed
        ([own[.postfix] ?? ""] + times(10, json), [], true), ([own[.postfix] ?? ""] + times(100, noise), [], true),
        (times(1_000, other) + [json], [], true), (times(1_000, other) + times(10_000, noise), [], true),
    ]

    @Test(arguments: stories) func overTime(_ lines: [String], _ later: [String], _ isDoubtful: Bool) {
        #expect((Self.doubt(lines, then: later, late: true) != nil) == isDoubtful)
    }

    @Test func aLineOfTheMailServersEndsIt() throws {
        var log = MTALog(.postfix, ReadLog.site(), now: ReadLog.now, isUTC: true)
        Self.read([Self.json], into: &log)
        #expect(log.recognition.isUnsure(at: ReadLog.now) && !log.recognition.isUnsure(at: Self.late))
        let line = try #require(Self.own[.postfix])
        Self.read([line], into: &log)
        #expect(!log.recognition.isUnsure(at: ReadLog.now) && log.recognition.takeEnded() == nil)
        // In one piece: the doubt was there all the same.
        Self.read(Self.times(150, Self.json) + [line], into: &log)
        #expect(log.recognition.doubt == nil && log.recognition.takeEnded()?.lines == 100 && log.recognition.takeEnded() == nil)
        #expect(log.counts.ownLines == 2 && log.counts.lines == 153)
    }

    @Test func theJournal() {
        var log = MTALog(.postfix, ReadLog.site(), now: ReadLog.now, isUTC: true)
        let (text, own, other) = (Octets("text"), Octets("postfix/smtpd"), Octets("dovecot"))
        for _ in 0..<200 { log.read(message: text.span, program: other.span, process: 1, at: ReadLog.now) }
        log.read(message: text.span, program: own.span, process: 1, at: ReadLog.now)
        #expect(log.recognition.doubt == nil && log.recognition.own == 1)
    }

    /// What is shown is washed, and says what to write.
    @Test func text() {
        let doubt = LogDoubt(kind: .foreign(.exim), lines: 5, sample: Octets("a\u{1B}b"), since: ReadLog.now)
        let text = doubt.text(.postfix)
        #expect(text.contains("write format = \"exim\"") && !text.contains("\u{1B}") && text.hasPrefix("not Postfix's log: 5 lines of Exim"))
        #expect(LogDoubt(kind: .strange, lines: 5, sample: [], since: ReadLog.now).text(.sendmail).contains("docs/sources.md"))
    }
}
