import Testing
@testable import BackscatterGuard

@Suite("Phrases: at the beginnings of words, in any case, over line ends") struct PhraseSetTests {
    private static let phrases = PhraseSet(["a copy of", "not delivered", "550 "])

    @Test(arguments: [
        ("It was Not Delivered.", true), ("knot delivered", false), ("not  delivered", false), ("not delivere", false), ("(550 no", true),
        ("550", false), ("a copy of", true), ("no", false), ("", false), ("\u{fc}not delivered", false),
    ])
    func found(_ text: String, _ isFound: Bool) {
        #expect(Self.phrases.isFound(in: Octets(text).span) == isFound)
    }

    @Test(arguments: [
        ("--- A\t copy  of it", true), ("| a  copy of", true), ("a copy", false), ("xa copy of", false), ("550\tx", true), ("ab", false),
    ])
    func prefix(_ line: String, _ isPrefix: Bool) {
        #expect(Self.phrases.isPrefix(of: Octets(line).span) == isPrefix)
    }

    @Test(arguments: [("it was not deli", 7), ("it was not delivers ", 20), ("a not", 2), ("was n", 4), ("was ", 4), ("", 0)])
    func open(_ text: String, _ first: Int) {
        var open = text.utf8.count
        #expect(!Self.phrases.isFound(in: Octets(text).span, open: &open))
        #expect(open == first)
    }

    @Test func oneWordALine() {
        var text = DiagnosticText()
        for word in ["I'm", "sorry", "to", "have", "to", "inform", "you", "that", "mail", "was", "not", "delivered"] {
            text.take(Octets(word).span, isBehindMarker: false)
        }
        #expect(text.hasSignature && text.hasFailure)
        text = DiagnosticText()
        text.take(Octets("was not").span, isBehindMarker: false)
        text.endParagraph()
        text.take(Octets("delivered").span, isBehindMarker: false)
        #expect(!text.hasFailure)
    }

    @Test func theTextServesWhereNoFieldNamesTheRecipient() {
        let content = Samples.lines(Samples.daemon + "\n<them@x.example>: no such user\n\nadministrator: help@x.example\n")
        #expect(CorpusScore.read([content]).failedRecipients == [Octets("them@x.example")])
    }
}
