// Behind `guardd record`: ids from arguments, lines, mail files. Durable in groups; a line that can't be read is told
// and the rest goes on.

import Glibc

/// Records what it is given in groups, and counts.
public struct SentRecorder {
    private static let group = 1000
    private static let chunk = 65_536

    private let commit: ([SentEntry]) throws(SentLogError) -> Void
    private let complain: (String) -> Void
    private let acknowledge: (Int) -> Void
    private var waiting: [SentEntry] = []

    /// Entries that are durable.
    public private(set) var recorded = 0
    /// Inputs that could not be read, each told to `complain`.
    public private(set) var refused = 0

    /// - Parameters:
    ///   - now: the time of sending, of all of them.
    ///   - complain: hears, in one line each, of what could not be read.
    ///   - acknowledge: hears how many entries are durable, each time that it is more.
    public init(
        _ log: any SentLogDesk, at now: Int64, complain: @escaping (String) -> Void, acknowledge: @escaping (Int) -> Void = { _ in }
    ) {
        self.init(complain: complain, acknowledge: acknowledge) { entries throws(SentLogError) in try log.recordAndWait(entries, at: now) }
    }

    /// - Parameter commit: returns when entries are durable.
    init(
        complain: @escaping (String) -> Void, acknowledge: @escaping (Int) -> Void, commit: @escaping ([SentEntry]) throws(SentLogError) -> Void
    ) {
        self.commit = commit
        self.complain = complain
        self.acknowledge = acknowledge
    }

    /// Records one argument of the command: an id, or the path of an .eml file, an mbox or a Maildir.
    ///
    /// `<…>` is always an id; what exists as a file is one; anything else with an `@` is an id.
    ///
    /// - Parameter like: reverse-path and forward-paths for what is found; its ids are not used.
    public mutating func record(argument: String, like: SentEntry) throws(SentLogError) {
        let isPath = !argument.hasPrefix("<") && FileIdentity(path: argument) != nil
        if isPath {
            try record(path: argument, like: like)
        } else if argument.contains("@") || argument.hasPrefix("<"), let id = MessageID(Octets(argument.utf8)) {
            var entry = like
            entry.ids = [id]
            try add(entry)
        } else {
            refuse("\(argument): neither a Message-ID nor a file")
        }
    }

    /// Records lines (RecordLine) from a descriptor until its end. What has arrived is durable before more is waited for.
    public mutating func record(linesFrom descriptor: CInt) throws(SentLogError) {
        var rest = Octets()
        var number = 0
        var isTooLong = false
        var buffer = Octets(repeating: 0, count: SentRecorder.chunk)
        while true {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .cannotOpen(file: "standard input", reason: systemReason()) }
            rest += buffer.prefix(count)
            if count == 0, !rest.isEmpty { rest.append(ASCII.lf) }
            var start = 0
            while let end = rest[start...].firstIndex(of: ASCII.lf) {
                number += 1
                try record(line: isTooLong ? nil : Octets(rest[start..<end]), number)
                isTooLong = false
                start = end + 1
            }
            rest.removeFirst(start)
            if rest.count > RecordLine.limit {
                isTooLong = true
                rest = []
            }
            try flush()
            if count == 0 { return }
        }
    }

    /// Makes durable what is not yet.
    public mutating func flush() throws(SentLogError) {
        guard !waiting.isEmpty else { return }
        try commit(waiting)
        recorded += waiting.count
        waiting = []
        acknowledge(recorded)
    }

    private mutating func record(path: String, like: SentEntry) throws(SentLogError) {
        var withoutID = 0
        do throws(SentLogError) {
            let unread = try MailFiles.read(path) { (ids: [MessageID], _: Int64) throws(SentLogError) in
                guard !ids.isEmpty else {
                    withoutID += 1
                    return
                }
                var entry = like
                entry.ids = ids
                try add(entry)
            }
            for line in unread.lines { refuse("not read: \(line)") }
        } catch {
            guard error.isOfInput else { throw error }
            refuse(error.text)
        }
        if withoutID > 0 { refuse("\(path): \(withoutID) mails without Message-ID") }
    }

    private mutating func record(line: Octets?, _ number: Int) throws(SentLogError) {
        guard let line, line.count <= RecordLine.limit else {
            refuse("line \(number): longer than \(RecordLine.limit) octets")
            return
        }
        switch RecordLine.read(line) {
        case .entry(let entry): try add(entry)
        case .nothing: break
        case .malformed(let reason): refuse("line \(number): \(reason)")
        }
    }

    private mutating func add(_ entry: SentEntry) throws(SentLogError) {
        waiting.append(entry)
        if waiting.count >= SentRecorder.group { try flush() }
    }

    private mutating func refuse(_ reason: String) {
        refused += 1
        complain(reason)
    }
}
