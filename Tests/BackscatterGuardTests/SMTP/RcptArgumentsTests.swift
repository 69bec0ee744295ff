import Testing
@testable import BackscatterGuard

@Suite("RFC 5321 4.1.1.3: RCPT") struct RcptArgumentsTests {
    @Test(arguments: [
        ("RCPT TO:<a@b.example>", "a", "b.example", ""), ("rcpt to: \t<a@B.Example>  ", "a", "B.Example", ""),
        ("RCPT TO:a@b.example", "a", "b.example", ""), ("RCPT TO:a@b.example NOTIFY=NEVER", "a", "b.example", "NOTIFY=NEVER"),
        ("RCPT TO:<a@b.example> NOTIFY=NEVER ORCPT=rfc822;a@b", "a", "b.example", "NOTIFY=NEVER ORCPT=rfc822;a@b"),
        ("RCPT TO:<\"a b>\"@b.example>", "\"a b>\"", "b.example", ""), ("RCPT TO:<\u{e9}@xn--tda.example>", "\u{e9}", "xn--tda.example", ""),
        ("RCPT TO:<SRS0=HHH=TT=c.example=u@b_c.example>", "SRS0=HHH=TT=c.example=u", "b_c.example", ""), ("RCPT TO:<a@localhost>", "a", "localhost", ""),
    ])
    func plain(_ line: String, _ local: String, _ domain: String, _ parameters: String) throws {
        let line = Octets(line)
        let arguments = try #require(RcptArguments(line))
        #expect(arguments.hasPlainDomain)
        #expect(Octets(line[arguments.localPart]) == Octets(local) && Octets(line[arguments.domain]) == Octets(domain))
        #expect(Octets(line[arguments.path]) == Octets("\(local)@\(domain)") && Octets(line[arguments.parameters]) == Octets(parameters))
    }

    @Test(arguments: [
        ("RCPT TO:<user>", "user", ""), ("RCPT TO:<postmaster>", "postmaster", ""), ("RCPT TO:user", "user", ""),
        ("RCPT TO:<@a,@b:u@d.example>", "@a,@b:u", "d.example"), ("RCPT TO:<a%b@c.example>", "a%b", "c.example"),
        ("RCPT TO:<a!b@c.example>", "a!b", "c.example"), ("RCPT TO:<a@b.example.>", "a", "b.example."),
        ("RCPT TO:<a@[192.0.2.1]>", "a", "[192.0.2.1]"), ("RCPT TO:<a@\u{fc}.example>", "a", "\u{fc}.example"),
        ("RCPT TO:<a@b@c.example>", "a@b", "c.example"), ("RCPT TO:<\"a@b\"@c.example>", "\"a@b\"", "c.example"),
        ("RCPT TO:<\"a%b\"@c.example>", "\"a%b\"", "c.example"), ("RCPT TO:<a(c)@b.example>", "a(c)", "b.example"),
        ("RCPT TO:<a@b.example(c)>", "a", "b.example(c)"), ("RCPT TO:<a@b,c@d>", "a@b,c", "d"), ("RCPT TO:<@b.example>", "", "b.example"),
        ("RCPT TO:<a@>", "a", ""), ("RCPT TO:<@>", "", ""), ("RCPT TO:<a@b..c>", "a", "b..c"), ("RCPT TO:<\"a\"x@b>", "\"a\"x", "b"),
        ("RCPT TO:<\"@b\">", "\"@b\"", ""), ("RCPT TO:<a@192.0.2.1>", "a", "192.0.2.1"), ("RCPT TO:<\"\"@b.example>", "\"\"", "b.example"),
    ])
    func notPlain(_ line: String, _ local: String, _ domain: String) throws {
        let line = Octets(line)
        let arguments = try #require(RcptArguments(line))
        #expect(!arguments.hasPlainDomain)
        #expect(Octets(line[arguments.localPart]) == Octets(local) && Octets(line[arguments.domain]) == Octets(domain))
    }

    @Test(arguments: [
        "RCPT TO:", "RCPT TO:<>", "RCPT TO: ", "RCPT TO:<a@b", "RCPT TO:a@b>", "RCPT TO:<a@b>>", "RCPT TO:<<a@b>", "RCPT TO :<a@b>", "RCPT  TO:<a@b>",
        "RCPT TO:<a b@c>", "RCPT TO:< a@b>", "RCPT TO:<a@b >", "RCPT TO:<a@b>x", "RCPT TO:<a@b> (c)", "RCPT TO:<a@b> <c@d>", "RCPT TO:<a\\@b>",
        "RCPT TO:<\"a@b>", "RCPT TO:\"a\"@b", "RCPT TO:a@b X=<c@d>", "RCPT TO:a@b (c@d)", "RCPT TO:<a\0@b>", "RCPT TO:<a@b>\0", "RCPT TO:<a\u{7f}@b>",
        "RCPT TO:<a@b\r>", "RCPT TO:<a@b> NOTIFY=", "RCPT TO:x <a@b>", "RCPT TO:\u{a0}<a@b>", "RCPT TO:<a@b>\u{a0}", "MAIL TO:<a@b>", "",
    ])
    func refused(_ line: String) {
        #expect(RcptArguments(Octets(line)) == nil)
    }

    @Test func noOctetTraps() {
        let line = Octets("RCPT TO:<\"a\\b\"@b.example> X=1")
        for place in line.indices {
            for octet in UInt8.min...UInt8.max {
                var changed = line
                changed[place] = octet
                let arguments = RcptArguments(changed)
                if ASCII.isControl(octet), octet != ASCII.tab || place < 20 { #expect(arguments == nil) }
            }
            if place < 25 { #expect(RcptArguments(Octets(line[..<place])) == nil) }     // until the closing bracket
        }
    }
}
