import Testing
@testable import BackscatterGuard

private func read(_ line: Octets) -> (isNull: Bool, path: String, local: String, domain: String, parameters: String)? {
    guard let arguments = MailArguments(line.span) else { return nil }
    func text(_ range: Range<Int>) -> String { String(decoding: line[range], as: UTF8.self) }
    return (arguments.isNull, text(arguments.path), text(arguments.localPart), text(arguments.domain), text(arguments.parameters))
}

@Suite("RFC 5321 4.1.1.2: MAIL") struct MailArgumentsTests {
    /// The spellings that Postfix, Exim and qmail all take for null, less those with controls.
    @Test(arguments: [
        ("MAIL FROM:<>", ""), ("mail from:<>", ""), ("MaIl FrOm:<>", ""), ("MAIL FROM: <>", ""), ("MAIL FROM:   <>", ""),
        ("MAIL FROM:\t<>", ""), ("MAIL FROM: \t <>", ""), ("MAIL FROM:<> ", ""), ("MAIL FROM:<>\t", ""),
        ("MAIL FROM:<> SIZE=1", "SIZE=1"), ("MAIL FROM:<>  SIZE=1", "SIZE=1"), ("MAIL FROM:<>\tSIZE=1", "SIZE=1"),
        ("MAIL FROM:<> SIZE=1 BODY=8BITMIME", "SIZE=1 BODY=8BITMIME"),
        ("MAIL FROM:<> SIZE=1 BODY=8BITMIME RET=HDRS ENVID=x", "SIZE=1 BODY=8BITMIME RET=HDRS ENVID=x"),
        ("MAIL FROM:<> BODY=7BIT", "BODY=7BIT"), ("MAIL FROM:<> SMTPUTF8", "SMTPUTF8"), ("MAIL FROM:<> AUTH=<>", "AUTH=<>"),
        ("MAIL FROM:<>" + String(repeating: " ", count: 600), ""), ("MAIL FROM:" + String(repeating: " ", count: 600) + "<>", ""),
        ("MAIL FROM:<>" + String(repeating: " ", count: 2100), ""), ("MAIL FROM:<> SIZE=1 SIZE=2", "SIZE=1 SIZE=2"),
        // Grammatical, so null here too; upstream judges the parameter.
        ("MAIL FROM:<> X=Y", "X=Y"), ("MAIL FROM:<> BODY=BINARYMIME", "BODY=BINARYMIME"),
    ])
    func null(_ line: String, _ parameters: String) throws {
        let mail = try #require(read(Octets(line)))
        #expect(mail.isNull && mail.path.isEmpty && mail.local.isEmpty && mail.domain.isEmpty)
        #expect(mail.parameters == parameters)
    }

    /// Null for at least one MTA and refused, or another sender, for another: THREATS 2.2.
    @Test(arguments: [
        "MAIL FROM:\u{b}<>", "MAIL FROM:\u{c}<>", "MAIL FROM:<>\r", "MAIL FROM:\r<>",
        "MAIL FROM :<>", "MAIL FROM : <>", "MAIL FROM:", "MAIL FROM: ", "MAIL FROM", "MAIL", "MAIL ", "MAIL <>", "MAIL FROM<>",
        "MAIL FROM <>", "MAIL TO:<>", "MAIL x <>", "MAIL FROM:<@>", "MAIL FROM:<", "MAIL FROM:><", "MAIL FROM:<> <a@b.example>",
        "MAIL FROM:a@b.example <>", "MAIL FROM:<@[]>", "MAIL FROM:\0<>", "MAIL FROM:<\0>", "MAIL\0FROM:<>", "MAIL FROM:<> =",
        "MAIL FROM:>", "MAIL FROM:(c)", "MAIL FROM:;", "MAIL FROM:<;>", "MAIL FROM:x:;", "MAIL FROM:<x:;>", "MAIL FROM:<,>",
        "MAIL FROM:\"x\" <>", "MAIL FROM:x <>", "MAIL FROM:Mail Delivery System <>", "MAIL FROM:(c) <>", "MAIL FROM:<> (c)",
        "MAIL FROM:\u{a0}<>", "MAIL FROM:<> SIZE=",
        "MAIL  FROM:<>", "MAIL FROM:<@a,@b:>", "MAIL FROM:<@a:>", "MAIL FROM:<@:>", "MAIL FROM:<>>", "MAIL FROM:<>\0",
        "MAIL FROM:<>SIZE=1", "MAIL FROM:<>x", "MAIL FROM:<@a.example>", "MAIL FROM:<><a@b.example>",
        "MAIL FROM:< >", "MAIL FROM:<  >", "MAIL FROM:<\t>", "MAIL FROM:<\r>",
        "MAIL FROM:x<>", "MAIL FROM:(c)<>", "MAIL FROM:<>(c)", "MAIL FROM:\u{3000}<>",
        "MAIL FROM:@a:", "MAIL FROM:@a:<>", "MAIL FROM:(<>)", "MAIL\tFROM:<>", " MAIL FROM:<>", "MAIL FROM:<(c)>", "MAIL FROM:<()>",
        "MAIL FROM:<\"\">", "MAIL FROM:\"\"", "MAIL FROM:<<>>", "MAIL FROM:<\u{b}>", "MAIL FROM:<:>",
    ])
    func ambiguous(_ line: String) {
        #expect(read(Octets(line)) == nil)
    }

    @Test func ambiguousInRawOctets() {
        #expect(read(Octets("MAIL FROM:") + [0xA0] + Octets("<>")) == nil)
        #expect(read(Octets("MAIL FROM:<>") + [0xA0]) == nil)
        #expect(read(Octets("MAIL FROM:<a") + [0xC3] + Octets("@b.example>")) == nil)
    }

    @Test(arguments: [
        ("MAIL FROM:<a@b.example>", "a", "b.example", ""), ("mail from: <a.b+c=d@b>\t", "a.b+c=d", "b", ""),
        ("MAIL FROM:<a@b.example> SIZE=10 X-Y", "a", "b.example", "SIZE=10 X-Y"),
        ("MAIL FROM:<\"a b\\\"<>@\"@b.example>", "\"a b\\\"<>@\"", "b.example", ""), ("MAIL FROM:<a@[192.0.2.1]>", "a", "[192.0.2.1]", ""),
        ("MAIL FROM:<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]", ""), ("MAIL FROM:<\u{e9}@\u{fc}.example> SMTPUTF8", "\u{e9}", "\u{fc}.example", "SMTPUTF8"),
        ("MAIL FROM:a@b.example", "a", "b.example", ""), ("MAIL FROM: a@b.example SIZE=1 ", "a", "b.example", "SIZE=1"),
        ("MAIL FROM:<a..b.@c_d.example>", "a..b.", "c_d.example", ""), ("MAIL FROM:<a!b%c@d>", "a!b%c", "d", ""),
        ("MAIL FROM:<#@[]>", "#", "[]", ""), ("MAIL FROM:<a@b> AUTH=<> ENVID=\u{e9}", "a", "b", "AUTH=<> ENVID=\u{e9}"),
        ("MAIL FROM:<prvs=1234abcdef=a@b> ORCPT=rfc822;SRS0=a=b@c", "prvs=1234abcdef=a", "b", "ORCPT=rfc822;SRS0=a=b@c"),
    ])
    func mailbox(_ line: String, _ local: String, _ domain: String, _ parameters: String) throws {
        let mail = try #require(read(Octets(line)))
        #expect(!mail.isNull && mail.path == "\(local)@\(domain)" && mail.local == local && mail.domain == domain)
        #expect(mail.parameters == parameters)
    }

    @Test(arguments: [
        "MAIL FROM:<@a,@b:u@d>", "MAIL FROM:<a>", "MAIL FROM:<a@>", "MAIL FROM:<a@b.>", "MAIL FROM:<a@.b>", "MAIL FROM:<a@b..c>",
        "MAIL FROM:<.a@b>", "MAIL FROM:<a@b", "MAIL FROM:a@b>", "MAIL FROM:<a b@c>", "MAIL FROM:<a@b c>", "MAIL FROM:<a@b@c>",
        "MAIL FROM:<\"\"@b>", "MAIL FROM:<\"a@b>", "MAIL FROM:<\"a\\>", "MAIL FROM:<a\\@b>", "MAIL FROM:<a@[]>", "MAIL FROM:<\"#\"@[]>",
        "MAIL FROM:<a@[1>", "MAIL FROM:<a@[>]>", "MAIL FROM:<a@b>SIZE=1", "MAIL FROM:<a@b> =1", "MAIL FROM:<a@b> -x", "MAIL FROM:<a@b> S\u{e9}=1",
        "MAIL FROM:<a@b> SIZE:1", "MAIL FROM:a", "MAIL FROM:\"a\"@b", "MAIL FROM:\u{e9}@b.example", "MAIL FROM:#@[]x", "MAIL FROM:<\"a\tb\"@c>",
        // qmail takes the first bracket of the line for the path.
        "MAIL FROM:a@b.example AUTH=<>", "MAIL FROM:a@b.example X=>", "MAIL FROM:<a@b> \u{e9}", "NOOP FROM:<>", "",
    ])
    func refused(_ line: String) {
        #expect(read(Octets(line)) == nil)
    }

    @Test func valuesOfParameters() throws {
        let line = Octets("MAIL FROM:<> size=12\tSMTPUTF8  AUTH=<> SIZES=3")
        let arguments = try #require(MailArguments(line))
        func value(_ name: StaticString) -> String? {
            MailParameters.value(of: name, in: line.span, arguments.parameters).map { String(decoding: line[$0], as: UTF8.self) }
        }
        #expect(value("size") == "12" && value("smtputf8") == "" && value("auth") == "<>" && value("sizes") == "3")
        #expect(value("body") == nil && value("siz") == nil)
    }

    /// Any octet at any place: no trap, and no null sender out of nothing.
    @Test func everySingleOctetChange() {
        let line = Octets("MAIL FROM:<a@b.example> SIZE=1")
        for place in line.indices {
            for octet in UInt8.min...UInt8.max {
                var changed = line
                changed[place] = octet
                #expect(MailArguments(changed)?.isNull != true)
                if ASCII.isControl(octet), octet != ASCII.tab { #expect(MailArguments(changed) == nil) }
            }
            #expect(MailArguments(Octets(line[..<place]))?.isNull != true)
        }
    }
}
