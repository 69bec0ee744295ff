// Collects the Received fields of mail that streams past, newest first: each MTA puts its own on top. RFC 5321 4.4.

/// The bodies of the first Received fields of a header section, however the content is divided.
public struct ReceivedReader: Sendable {
    /// Fields that are kept: more hops than that are a loop.
    static let kept = 32
    /// Octets of one field that are kept.
    static let longest = 2_048
    private static let name = Octets("received:".utf8)

    private enum Place { case lineStart, name, body, skipping, ended }
    private var place = Place.lineStart
    /// Octets of `received:` that have been seen on this line.
    private var matched = 0
    private var isLineEmpty = true
    private var current: Octets?
    private var finished: [Octets] = []

    public init() {}

    /// Bodies without line ends, newest first.
    public var bodies: [Octets] { current.map { finished + [$0] } ?? finished }

    /// The next octets of content, dots unstuffed.
    public mutating func read(_ content: Span<UInt8>) {
        for index in 0..<content.count {
            if place == .ended { return }
            take(content[index])
        }
    }

    private mutating func take(_ octet: UInt8) {
        if octet == ASCII.lf {
            if isLineEmpty { return end() }
            place = .lineStart
            isLineEmpty = true
            return
        }
        if octet == ASCII.cr { return }
        if place == .lineStart { begin(octet) }
        isLineEmpty = false
        switch place {
        case .name: takeName(octet)
        case .body: if let count = current?.count, count < ReceivedReader.longest { current?.append(octet) }
        case .lineStart, .skipping, .ended: break
        }
    }

    private mutating func begin(_ octet: UInt8) {
        if ASCII.isBlank(octet) {
            place = current == nil ? .skipping : .body
        } else {
            endField()
            matched = 0
            place = finished.count < ReceivedReader.kept ? .name : .skipping
        }
    }

    private mutating func takeName(_ octet: UInt8) {
        if octet == ASCII.colon, matched == ReceivedReader.name.count - 1 {
            current = []
            place = .body
        } else if matched < ReceivedReader.name.count - 1, ASCII.lowercase(octet) == ReceivedReader.name[matched] {
            matched += 1
        } else if !(ASCII.isBlank(octet) && matched == ReceivedReader.name.count - 1) {
            place = .skipping
        }
    }

    private mutating func endField() {
        if let current { finished.append(current) }
        current = nil
    }

    private mutating func end() {
        endField()
        place = .ended
    }
}
