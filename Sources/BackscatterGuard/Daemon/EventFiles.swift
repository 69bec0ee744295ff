// Reading the event store's files, by the daemon at its start and by `guardd events` at any time.

import Foundation
import Glibc

/// The files of one folder, read in order. What was read once is not read again: so it follows a log that grows.
public struct EventFiles {
    /// Longer lines are none of guardd's.
    static let lineLimit = 64 << 10
    /// Files that are looked at.
    static let fileLimit = 10_000

    private let folder: String
    /// By name: where the next line begins.
    private var positions: [String: Int] = [:]
    /// Lines that were no events: torn by a crash, or damaged.
    public private(set) var damaged = 0

    /// - Parameter stateDirectory: the daemon's `state_dir`.
    public init(stateDirectory: String) { folder = Self.folder(in: stateDirectory) }

    static func folder(in stateDirectory: String) -> String { stateDirectory + "/events" }

    // MARK: Names

    private static let suffix = ".jsonl"

    /// `20261122T114041Z.jsonl`; the next ones of the same second have a number.
    static func name(begun time: Int64, _ attempt: Int = 0) -> String {
        let stamp = UTC.text(time).filter { $0 != "-" && $0 != ":" }
        return stamp + (attempt == 0 ? "" : ".\(String(1_000 + attempt).dropFirst())") + suffix
    }

    /// Seconds since 1970; nil for another file's name.
    static func begun(_ name: String) -> Int64? {
        let digits = Octets(name.utf8.prefix(16))
        guard name.hasSuffix(suffix), digits.count == 16, digits[8] == 0x54, digits[15] == 0x5A else { return nil }
        let text = String(decoding: digits, as: UTF8.self)
        func part(_ from: Int, _ count: Int) -> Substring { text.dropFirst(from).prefix(count) }
        return UTC.time("\(part(0, 4))-\(part(4, 2))-\(part(6, 2))T\(part(9, 2)):\(part(11, 2)):\(part(13, 2))", now: 0)
    }

    /// The oldest first.
    static func names(in folder: String) -> [String] {
        (FolderNames.first(fileLimit, in: folder) ?? []).filter { begun($0) != nil }.sorted()
    }

    // MARK: Reading

    /// Whether there is a folder that can be read.
    ///
    /// - Returns: nil, or why not.
    public var fault: String? {
        guard let directory = Descriptor(folder, O_RDONLY | O_DIRECTORY) else { return "\(folder): \(systemReason())" }
        _ = directory.number
        return nil
    }

    /// Hands on what was written since the last call, in the order of the files.
    ///
    /// - Parameters:
    ///   - since: files that were written last before it are passed over; seconds since 1970.
    ///   - tail: of each file that is new to it, at most so many octets, from its end.
    ///   - body: the event and its line.
    public mutating func read(since: Int64 = .min, tail: Int = .max, _ body: (VerdictEvent, [UInt8]) -> Void) {
        for name in Self.names(in: folder) {
            guard let file = Descriptor("\(folder)/\(name)", O_RDONLY | O_NOFOLLOW) else { continue }
            let status = file.status
            let size = Int(status.st_size)
            if positions[name] == nil, Int64(status.st_mtim.tv_sec) < since { continue }
            var start = positions[name] ?? max(0, size - tail)
            var isCut = positions[name] == nil && start > 0
            read(file, from: &start, isCut: &isCut, body)
            positions[name] = start
        }
    }

    /// - Parameter isCut: the first line has lost its beginning.
    private mutating func read(_ file: borrowing Descriptor, from start: inout Int, isCut: inout Bool, _ body: (VerdictEvent, [UInt8]) -> Void) {
        let decoder = JSONDecoder()
        while true {
            let octets = file.read(1 << 20, from: start)
            guard let end = octets.lastIndex(of: ASCII.lf) else {
                // A line without an end may get it yet; one that is too long never was an event.
                if octets.count > Self.lineLimit {
                    start += octets.count
                    isCut = true
                    continue
                }
                return
            }
            for line in octets[..<end].split(separator: ASCII.lf) {
                if isCut { isCut = false } else { take(Octets(line), decoder, body) }
            }
            start += end + 1
        }
    }

    private mutating func take(_ line: Octets, _ decoder: JSONDecoder, _ body: (VerdictEvent, [UInt8]) -> Void) {
        guard line.count <= Self.lineLimit, let event = try? decoder.decode(VerdictEvent.self, from: Data(line)) else { return damaged += 1 }
        body(event, line)
    }
}
