// What upstream's EHLO answer offers, less what guardd can't honour. An extension that guardd does not know may change
// how commands or content are framed, so the list says what passes, not what is dropped (R12).

/// The service extensions of an EHLO answer: RFC 5321 4.1.1.1.
public struct Keywords: Sendable {
    /// Allowed keyword lines without code and line end, in upstream's order and spelling.
    public private(set) var lines = [Octets]()
    public private(set) var pipelining = false
    public private(set) var chunking = false
    public private(set) var binaryMIME = false
    public private(set) var smtputf8 = false
    public private(set) var dsn = false
    public private(set) var enhancedStatusCodes = false
    /// Octets of the largest content; nil when upstream names none (RFC 1870 4: 0 means no fixed limit).
    public private(set) var size: Int?
    public private(set) var hasAuth = false
    /// Attribute names of upstream's XCLIENT, which itself is never passed on; nil without XCLIENT.
    public private(set) var xclientAttributes: [Octets]?
    /// Likewise of its XFORWARD.
    public private(set) var xforwardAttributes: [Octets]?
    /// Whether upstream offers STARTTLS, which itself is never passed on.
    public private(set) var hasStartTLS = false
    /// Whether upstream offers REQUIRETLS (RFC 8689), which is passed on inside TLS only.
    public private(set) var hasRequireTLS = false
    private var isInsideTLS = false

    /// - Parameter reply: a whole 250 reply to EHLO, as ReplyScanner found it. Its first line is the greeting.
    /// - Parameter isInsideTLS: the client is.
    public init(reply: Span<UInt8>, isInsideTLS: Bool = false) {
        self.isInsideTLS = isInsideTLS
        var start = reply.firstIndex(of: ASCII.lf).map { $0 + 1 } ?? reply.count
        while start < reply.count {
            let end = reply.firstIndex(of: ASCII.lf, from: start) ?? reply.count
            if start + 4 < end { take(reply.extracting(start + 4..<end).copied()) }
            start = end + 1
        }
        removeUnframed()
    }

    /// Takes a keyword out, for a session that can't honour it.
    ///
    /// - Parameter name: in lower case.
    public mutating func remove(_ name: StaticString) {
        let kept = lines.filter { !ASCII.equal(Self.name(of: $0), name) }
        guard kept.count < lines.count else { return }
        let (xclient, xforward, startTLS) = (xclientAttributes, xforwardAttributes, hasStartTLS)
        self = Keywords(reply: Octets().span, isInsideTLS: isInsideTLS)
        (xclientAttributes, xforwardAttributes, hasStartTLS) = (xclient, xforward, startTLS)
        for line in kept { take(line) }
        removeUnframed()
    }

    /// BINARYMIME without CHUNKING can't be sent: RFC 3030 3.
    private mutating func removeUnframed() {
        if binaryMIME, !chunking { remove("binarymime") }
    }

    /// guardd's answer to EHLO.
    ///
    /// - Parameter hostname: guardd's own, from the configuration.
    /// - Parameter own: keyword lines of guardd itself, such as STARTTLS.
    public func reply(hostname: String, adding own: [String] = []) -> Octets {
        let all = [Octets(hostname.utf8)] + lines + own.map { Octets($0.utf8) }
        var wire = Octets()
        for (index, line) in all.enumerated() {
            wire += Octets((index == all.count - 1 ? "250 " : "250-").utf8) + line + [ASCII.cr, ASCII.lf]
        }
        return wire
    }

    /// Whether all that `other` announced is still here with the same parameters, so that a session may go on with
    /// another upstream connection. Case does not matter, order of lines neither.
    public func includes(_ other: Keywords) -> Bool {
        let here = Set(lines.map(ASCII.lowercased))
        return other.lines.allSatisfy { here.contains(ASCII.lowercased($0)) }
    }

    private mutating func take(_ raw: Octets) {
        var line = raw
        while let last = line.last, ASCII.isBlank(last) || last == ASCII.cr { line.removeLast() }
        guard !line.isEmpty, !line.contains(where: { $0 < ASCII.space || $0 >= ASCII.del }) else { return }
        let words = line.split(separator: ASCII.space)
        switch String(decoding: ASCII.lowercased(Self.name(of: line)), as: UTF8.self) {
        case "pipelining": pipelining = true
        case "chunking": chunking = true
        case "binarymime": binaryMIME = true
        case "smtputf8": smtputf8 = true
        case "dsn": dsn = true
        case "enhancedstatuscodes": enhancedStatusCodes = true
        case "size": size = words.count > 1 ? Self.number(words[1]) : nil
        case "auth": hasAuth = true
        case "8bitmime", "deliverby", "mt-priority", "limits", "vrfy", "etrn", "help": break
        case "xclient":
            xclientAttributes = words.dropFirst().map { Octets($0) }
            return
        case "xforward":
            xforwardAttributes = words.dropFirst().map { Octets($0) }
            return
        case "requiretls":
            guard isInsideTLS else { return }
            hasRequireTLS = true
        case "starttls":
            hasStartTLS = true
            return
        default: return
        }
        lines.append(line)
    }

    /// Up to the first space, or to the `=` of the old `AUTH=LOGIN`.
    private static func name(of line: Octets) -> ArraySlice<UInt8> {
        line.prefix { $0 != ASCII.space && $0 != ASCII.equals }
    }

    /// nil for 0, for what is no number, and for one that is too large to limit anything.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.allSatisfy(ASCII.isDigit), let value = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        return value > 0 ? value : nil
    }
}
