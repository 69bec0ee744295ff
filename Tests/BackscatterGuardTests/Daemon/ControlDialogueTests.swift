import Testing
@testable import BackscatterGuard

@Suite("Control socket: lines and answers") struct ControlDialogueTests {
    @Test func answersComeInTheOrderOfTheLines() throws {
        let text = "<one@a.example>\tann@a.example\tbob@b.example\nbad\tline\twith\tmore\tfields\n\r\n!unrecorded\r\n!else\n<two@a.example>\n<cut@a.example>"
        let wanted: [ControlDialogue.Request] = [
            .record(try entry("one@a.example", to: ["bob@b.example"])), .unrecorded, .record(SentEntry(ids: [try id("two@a.example")])),
        ]
        everyDivision(Octets(text.utf8)) { pieces in
            var dialogue = ControlDialogue()
            var asked: [(Int, ControlDialogue.Request)] = []
            for piece in pieces { dialogue.read(piece.span) { asked.append(($0, $1)) } }
            #expect(asked.map(\.0) == [0, 3, 5])
            #expect(asked.map(\.1) == wanted)
            #expect(dialogue.takeAnswers().isEmpty && !dialogue.isIdle)
            dialogue.answered(5, error: nil)
            dialogue.answered(3, error: "disk\nfull")
            #expect(dialogue.takeAnswers().isEmpty)
            dialogue.answered(0, error: nil)
            #expect(String(decoding: dialogue.takeAnswers(), as: UTF8.self)
                == "ok\nerror more than four fields\nok\nerror disk\\x0afull\nerror unknown command\nok\n")
            #expect(dialogue.heldOctets == "<cut@a.example>".utf8.count && !dialogue.isIdle)
        }
    }

    @Test func boundInAnyDivision() throws {
        var wanted = try entry("one@x.example", to: ["bob@b.example"])
        wanted.isBound = true
        everyDivision(Octets("<one@x.example>\tann@a.example\tbob@b.example\tbound\n<one@x.example>\tann@a.example\tbob@b.example\tboun\n".utf8)) { pieces in
            var dialogue = ControlDialogue()
            var asked: [ControlDialogue.Request] = []
            for piece in pieces { dialogue.read(piece.span) { asked.append($1) } }
            #expect(asked == [.record(wanted)])
            dialogue.answered(0, error: nil)
            #expect(String(decoding: dialogue.takeAnswers(), as: UTF8.self) == "ok\nerror the fourth field may be \"bound\" only\n")
        }
    }

    private func entry(_ name: String, to: [String]) throws -> SentEntry {
        SentEntry(ids: [try id(name)], reversePath: Octets("ann@a.example".utf8), forwardPaths: to.map { Octets($0.utf8) })
    }

    @Test func linesTooLongAreThrownAway() {
        var dialogue = ControlDialogue()
        let piece = Octets(repeating: 0x78, count: 100_000)
        for _ in 0..<4 {
            dialogue.read(piece.span) { _, _ in Issue.record("asked") }
            #expect(dialogue.heldOctets <= RecordLine.limit)
        }
        dialogue.read(Octets("\n\n".utf8).span) { _, _ in Issue.record("asked") }
        #expect(String(decoding: dialogue.takeAnswers(), as: UTF8.self) == "error longer than 262144 octets\nok\n")
        #expect(dialogue.isIdle)
    }

    @Test func fullWhenTooMuchIsUnanswered() {
        var dialogue = ControlDialogue()
        dialogue.read(Octets(String(repeating: "<a@b.example>\n", count: ControlDialogue.pipelineLimit).utf8).span) { _, _ in }
        #expect(dialogue.isFull)
        dialogue.answered(0, error: nil)
        _ = dialogue.takeAnswers()
        #expect(!dialogue.isFull)
        dialogue.answered(0, error: nil)
        dialogue.answered(99_999, error: nil)
        #expect(dialogue.takeAnswers().isEmpty)
    }
}
