// The wire form of Redis (RESP 2): replies are read by hiredis, commands are arrays of octet strings.
// Replies come from a server that the configuration names and trusts; a malformed one ends the connection.

import CHiredis

/// One reply. Arrays hold no arrays: no command of ours is answered with deeper ones.
enum RedisReply: Sendable, Equatable {
    case octets(Octets)
    case integer(Int64)
    case array([RedisReply])
    case null
    case status(Octets)
    /// What the server says instead of doing it, as `OOM command not allowed …`.
    case error(Octets)

    var octets: Octets? { if case .octets(let octets) = self { octets } else { nil } }

    /// The text of an error, washed; nil when it is none.
    var errorText: String? { if case .error(let octets) = self { ASCII.washed(octets, limit: 200) } else { nil } }

    /// The elements of HGETALL as pairs; nil when it is no array.
    var pairs: [(name: Octets, value: Octets)]? {
        guard case .array(let elements) = self else { return nil }
        return stride(from: 0, to: elements.count - 1, by: 2).compactMap { index in
            guard let name = elements[index].octets, let value = elements[index + 1].octets else { return nil }
            return (name, value)
        }
    }

    /// TIME: seconds and microseconds, in milliseconds since 1970.
    var milliseconds: Int64? {
        guard case .array(let elements) = self, elements.count == 2,
              let seconds = elements[0].octets.flatMap({ Int64(String(decoding: $0, as: UTF8.self)) }),
              let micros = elements[1].octets.flatMap({ Int64(String(decoding: $0, as: UTF8.self)) })
        else { return nil }
        return seconds * 1000 + micros / 1000
    }
}

/// Owner of one hiredis reader: octets in, in any division; whole replies out, in order.
@safe final class RedisReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>

    /// nil when there is no memory.
    init?() {
        guard let made = unsafe redisReaderCreate() else { return nil }
        unsafe reader = made
    }

    deinit { unsafe redisReaderFree(reader) }

    /// - Returns: false when there is no memory.
    func feed(_ octets: Span<UInt8>) -> Bool {
        unsafe octets.withUnsafeBytes { bytes in
            unsafe redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK
        }
    }

    enum Step: Equatable { case reply(RedisReply), incomplete, malformed }

    func next() -> Step {
        var made: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(reader, &made) == REDIS_OK else { return .malformed }
        guard let made = unsafe made else { return .incomplete }
        defer { unsafe freeReplyObject(made) }
        let reply = unsafe made.assumingMemoryBound(to: redisReply.self)
        guard unsafe reply.pointee.type == REDIS_REPLY_ARRAY else { return .reply(unsafe RedisReplyReader.scalar(reply)) }
        var elements: [RedisReply] = []
        elements.reserveCapacity(unsafe reply.pointee.elements)
        for index in 0..<(unsafe reply.pointee.elements) {
            guard let element = unsafe reply.pointee.element[index] else { return .malformed }
            elements.append(unsafe RedisReplyReader.scalar(element))
        }
        return .reply(.array(elements))
    }

    private static func scalar(_ reply: UnsafeMutablePointer<redisReply>) -> RedisReply {
        switch unsafe reply.pointee.type {
        case REDIS_REPLY_INTEGER: .integer(Int64(unsafe reply.pointee.integer))
        case REDIS_REPLY_STRING: .octets(unsafe text(reply))
        case REDIS_REPLY_STATUS: .status(unsafe text(reply))
        case REDIS_REPLY_ERROR: .error(unsafe text(reply))
        default: .null
        }
    }

    private static func text(_ reply: UnsafeMutablePointer<redisReply>) -> Octets {
        guard let start = unsafe reply.pointee.str else { return [] }
        return unsafe Octets(UnsafeRawBufferPointer(start: start, count: Int(reply.pointee.len)))
    }
}

extension Array where Element == UInt8 {
    /// Appends one command.
    mutating func appendCommand(_ words: [Octets]) {
        appendHead(0x2A, words.count)
        for word in words {
            appendHead(0x24, word.count)
            append(contentsOf: word)
            append(ASCII.cr)
            append(ASCII.lf)
        }
    }

    mutating func appendCommand(_ words: String...) { appendCommand(words.map { Octets($0.utf8) }) }

    private mutating func appendHead(_ kind: UInt8, _ count: Int) {
        append(kind)
        append(contentsOf: String(count).utf8)
        append(ASCII.cr)
        append(ASCII.lf)
    }
}
