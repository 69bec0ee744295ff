import Testing
@testable import BackscatterGuard

@Suite("Reverse-path and forward-path as values") struct PathTests {
    @Test func nullReversePath() {
        #expect(ReversePath.null.isNull && ReversePath.null.localPart.isEmpty && ReversePath.null.domain.isEmpty)
        #expect(ReversePath(line: Octets("MAIL FROM:<> SIZE=1")) == .null)
        #expect(ReversePath([]) == .null)
    }

    @Test func reversePathParts() throws {
        let path = try #require(ReversePath(line: Octets("mail from: <\"a@b\"@C.Example>")))
        #expect(path.octets == Octets("\"a@b\"@C.Example") && !path.isNull && !path.isQmailDoubleBounce)
        #expect(path.localPart == Octets("\"a@b\"") && path.domain == Octets("c.example"))
        #expect(path == ReversePath(Octets("\"a@b\"@C.Example")))
    }

    @Test func qmailDoubleBounce() {
        #expect(ReversePath(Octets("#@[]"))?.isQmailDoubleBounce == true)
        #expect(ReversePath(Octets("#@[]"))?.isNull == false)
        #expect(ReversePath(Octets("#@[1]"))?.isQmailDoubleBounce == false)
    }

    @Test(arguments: ["a", "a@b> X", "> X", "@", "a b@c", "a@b>"])
    func noPath(_ text: String) {
        #expect(ReversePath(Octets(text)) == nil)
        if text.contains(where: { $0 == ">" || $0 == " " }) { #expect(ForwardPath(Octets(text)) == nil) }
    }

    @Test(arguments: [
        ("Ann@Example.ORG", "Ann", "example.org", true), ("\"ann\"@example.org", "ann", "example.org", true),
        ("\"a\\\"b c\"@example.org", "a\"b c", "example.org", true), ("ann@example.org.", "ann", "example.org", false),
        ("postmaster", "postmaster", "", false), ("\"a\"b@example.org", "\"a\"b", "example.org", false),
    ])
    func forwardPathParts(_ text: String, _ local: String, _ domain: String, _ plain: Bool) throws {
        let path = try #require(ForwardPath(Octets(text)))
        #expect(path.octets == Octets(text) && path.localPart == Octets(local) && path.domain == Octets(domain))
        #expect(path.hasPlainDomain == plain)
    }

    @Test func equalityIsThatOfOctets() {
        #expect(ForwardPath(Octets("a@b")) == ForwardPath(Octets("a@b")) && ForwardPath(Octets("a@b")) != ForwardPath(Octets("a@B")))
        #expect(Set([ForwardPath(Octets("a@b")), ForwardPath(Octets("a@b"))]).count == 1)
    }
}
