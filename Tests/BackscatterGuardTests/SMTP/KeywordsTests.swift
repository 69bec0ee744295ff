import Testing
@testable import BackscatterGuard

private func keywords(_ lines: String...) -> Keywords {
    let all = ["mx.example"] + lines
    let text = all.enumerated().map { ($0.offset == all.count - 1 ? "250 " : "250-") + $0.element + "\r\n" }.joined()
    return Keywords(reply: Octets(text))
}

private extension Keywords {
    var texts: [String] { lines.map { String(decoding: $0, as: UTF8.self) } }
}

@Suite("RFC 5321 4.1.1.1: keywords of upstream") struct KeywordsTests {
    @Test func postfix() {
        let read = keywords("PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "STARTTLS", "AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN", "XCLIENT NAME ADDR", "XFORWARD NAME", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING")
        #expect(read.texts == ["PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING"])
        #expect(read.pipelining && read.chunking && read.smtputf8 && read.dsn && read.enhancedStatusCodes && read.hasAuth && read.hasStartTLS)
        #expect(!read.binaryMIME && read.size == 10_240_000 && read.xclientAttributes == [Octets("NAME"), Octets("ADDR")])
    }

    @Test func onlyTheAllowed() {
        let read = keywords("TURN", "ATRN", "BURL imap", "XEXCH50", "X-ANONYMOUSTLS", "REQUIRETLS", "8BITMIMEX", "", "deliverby 1", "MT-PRIORITY MIXER", "LIMITS RCPTMAX=5", "help", "Pipelining ")
        #expect(read.texts == ["deliverby 1", "MT-PRIORITY MIXER", "LIMITS RCPTMAX=5", "help", "Pipelining"])
        #expect(read.pipelining && !read.hasStartTLS && read.xclientAttributes == nil && read.size == nil)
    }

    @Test func binaryMIMEOnlyWithChunking() {
        #expect(keywords("BINARYMIME", "DSN").texts == ["DSN"] && !keywords("BINARYMIME").binaryMIME)
        #expect(keywords("BINARYMIME", "CHUNKING").binaryMIME)
    }

    @Test(arguments: [("SIZE", nil), ("SIZE 0", nil), ("SIZE 5", 5), ("SIZE x", nil), ("SIZE 99999999999999999999", nil), ("SIZE -1", nil)] as [(String, Int?)])
    func sizes(_ line: String, _ size: Int?) {
        #expect(keywords(line).size == size && keywords(line).texts == [line])
    }

    @Test func noKeywords() {
        #expect(Keywords(reply: Octets("250 mx.example\r\n")).lines.isEmpty && Keywords(reply: Octets()).lines.isEmpty)
        #expect(Keywords(reply: Octets("250 mx.example\r\n")).reply(hostname: "g.example") == Octets("250 g.example\r\n"))
        #expect(keywords("DSN \u{1b}[0m", "DSN \u{e9}").lines.isEmpty)
    }

    @Test func answer() {
        let read = keywords("PIPELINING", "XCLIENT ADDR", "size 5")
        #expect(read.reply(hostname: "g.example") == Octets("250-g.example\r\n250-PIPELINING\r\n250 size 5\r\n"))
        #expect(read.reply(hostname: "g.example", adding: ["STARTTLS"]) == Octets("250-g.example\r\n250-PIPELINING\r\n250-size 5\r\n250 STARTTLS\r\n"))
    }

    @Test func removal() {
        var read = keywords("PIPELINING", "AUTH PLAIN", "SIZE 5", "AUTH=PLAIN", "XCLIENT ADDR", "STARTTLS")
        read.remove("auth")
        #expect(read.texts == ["PIPELINING", "SIZE 5"] && !read.hasAuth && read.pipelining && read.size == 5)
        #expect(read.xclientAttributes == [Octets("ADDR")] && read.hasStartTLS)
        read.remove("dsn")
        #expect(read.texts == ["PIPELINING", "SIZE 5"])
    }

    @Test func inclusion() {
        let announced = keywords("PIPELINING", "SIZE 5", "DSN")
        #expect(keywords("dsn", "SIZE 5", "PIPELINING", "CHUNKING").includes(announced))
        #expect(!keywords("PIPELINING", "SIZE 5").includes(announced) && !keywords("PIPELINING", "SIZE 4", "DSN").includes(announced))
        #expect(keywords("DSN").includes(keywords()) && keywords().includes(keywords("TURN")))
    }
}
