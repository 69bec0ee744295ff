import Foundation
import Testing

@testable import BackscatterGuard

@Suite("systemd Journal JSON Format: entries") struct JournalMessageTests {
    private static let head = #"{"__CURSOR":"s=1;i=2;b=3","__REALTIME_TIMESTAMP":"1795343226999999""#

    @Test func fields() throws {
        let line = Self.head + #","SYSLOG_IDENTIFIER":"postfix/qmgr","SYSLOG_PID":"12","MESSAGE":"A: from=<\u00e9@x>","_BOOT_ID":"3"}"#
        let message = try #require(JournalMessage(Octets(line.utf8)))
        #expect(message.cursor == "s=1;i=2;b=3" && message.time == 1_795_343_226 && message.process == 12)
        #expect(message.program == Octets("postfix/qmgr".utf8) && message.text == Octets("A: from=<é@x>".utf8) && !message.isSuppression)
        #expect(JournalMessage.boot(of: message.cursor) == "3")
    }

    @Test(arguments: [
        (#","MESSAGE":[65,255,0]"#, Octets([65, 255, 0])), (#","MESSAGE":null"#, nil), ("", nil), (#","MESSAGE":["a","b"]"#, nil),
        (#","MESSAGE":[65,256]"#, nil), (#","MESSAGE":{"a":1}"#, nil), (#","MESSAGE":7"#, nil), (#","MESSAGE":"""#, []),
    ] as [(String, Octets?)])
    func texts(_ field: String, text: Octets?) throws {
        let message = try #require(JournalMessage(Octets((Self.head + field + "}").utf8)))
        #expect(message.text == text && message.program.isEmpty && message.process == 0)
    }

    @Test(arguments: ["", "{", "[]", "{}", #"{"__CURSOR":"a"}"#, #"{"__CURSOR":"a b","__REALTIME_TIMESTAMP":"1"}"#, #"{"__CURSOR":"a","__REALTIME_TIMESTAMP":"-1"}"#,
                      #"{"__CURSOR":"","__REALTIME_TIMESTAMP":"1"}"#, #"{"__CURSOR":"a","__REALTIME_TIMESTAMP":1}"#, String(repeating: "[", count: 60_000)])
    func noEntry(_ line: String) { #expect(JournalMessage(Octets(line.utf8)) == nil) }

    @Test func linesInEveryDivision() {
        let text = Self.head + #","MESSAGE":"a"}"# + "\nnonsense\n" + Self.head + #","MESSAGE":"b"}"# + "\n" + Self.head
        everyDivision(Octets(text.utf8)) { chunks in
            var lines = JournalLines()
            var texts: [Octets?] = []
            for chunk in chunks { texts += lines.read(Octets(chunk)).map(\.text) }
            #expect(texts == [[97], [98]])
        }
    }

    @Test func aLineThatIsTooLongIsDropped() {
        var lines = JournalLines()
        let good = Self.head + "}\n"
        let long = Self.head + #","MESSAGE":""# + String(repeating: "x", count: JournalMessage.lineLimit) + "\"}\n"
        let count = lines.read(Octets((good + long + good).utf8)).count
        #expect(count == 2)
    }
}

@Suite("Where the journal was left") struct JournalPositionTests {
    @Test func textIsReadAgain() throws {
        let position = JournalPosition(from: "s=1;i=1", known: "s=1;i=9", time: 77, count: 8)
        let read = try #require(JournalPosition.read(position.text(caughtUp: 78)))
        #expect(read.position == position && read.caughtUp == 78)
    }

    @Test(arguments: ["", "guardd journal position 1\ntime 1\n", "guardd journal position 1\ntime x\nfrom a\nknown b 1 1\n", "guardd journal position 2\ntime 1\nfrom a\nknown b 1 1\n",
                      "guardd journal position 1\ntime 1\nfrom a\nknown b 1\n", "guardd journal position 1\ntime 1\nfrom a\nknown b 1 -1\n", "guardd journal position 1\ntime\nfrom\nknown\n"])
    func noPosition(_ text: String) { #expect(JournalPosition.read(text) == nil) }

    @Test func theMarkStaysSoFarBack() throws {
        var marks = JournalMarks()
        var position: JournalPosition?
        for number in 1...300_000 {
            position = marks.pass(JournalMessage.made(number), after: nil)
        }
        let last = try #require(position)
        #expect(last.known == "s=1;i=300000" && last.count >= JournalMarks.step * (JournalMarks.kept - 1) && last.count < JournalMarks.step * JournalMarks.kept)
        #expect(last.from == "s=1;i=\(300_000 - last.count)")
        var again = JournalMarks()
        let next = again.pass(JournalMessage.made(300_001), after: last)
        #expect(next.from == last.from && next.count == last.count + 1)
    }
}

extension JournalMessage {
    static func made(_ number: Int) -> JournalMessage {
        JournalMessage(cursor: "s=1;i=\(number)", time: Int64(number), program: [], process: 0, text: nil, isSuppression: false)
    }
}
