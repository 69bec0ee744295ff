// A state directory of its own for every test, and short ways to say things about a log.

import Foundation
import Synchronization
@testable import BackscatterGuard

/// A directory that goes with its owner.
final class StateDirectory: Sendable {
    let path: String

    init() throws {
        // In memory where there is such a place: the tests commit hundreds of times.
        let memory = URL(fileURLWithPath: "/dev/shm"), hasMemory = FileManager.default.isWritableFile(atPath: memory.path)
        let url = (hasMemory ? memory : FileManager.default.temporaryDirectory).appendingPathComponent("sentlog-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var settings: SentLogSettings { SentLogSettings(stateDirectory: path) }
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    func file(_ name: String) -> String { path + "/" + name }

    func octets(_ name: String) throws -> Octets { Octets(try Data(contentsOf: URL(fileURLWithPath: file(name)))) }

    func write(_ octets: Octets, to name: String, mode: Int = 0o600) throws {
        try Data(octets).write(to: URL(fileURLWithPath: file(name)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file(name))
    }

    /// Overwrites octets in place, in the very file that others may have open.
    func overwrite(_ name: String, at offset: UInt64, _ octets: Octets) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file(name)))
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: Data(octets))
        try handle.close()
    }

    func truncate(_ name: String, to size: UInt64) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file(name)))
        try handle.truncate(atOffset: size)
        try handle.close()
    }
}

/// Keeps the alarms of a log.
final class AlarmBook: Sendable {
    private let kept = Mutex<[SentLogAlarm]>([])
    var all: [SentLogAlarm] { kept.withLock { $0 } }
    func take(_ alarm: SentLogAlarm) { kept.withLock { $0.append(alarm) } }
}

/// Noon of 2026-11-22 UTC.
let noon: Int64 = 1_795_348_800

func id(_ text: String) throws -> MessageID {
    guard let id = MessageID(Octets(text)) else { throw SupportFault.notAnID(text) }
    return id
}

enum SupportFault: Error { case notAnID(String) }

func entry(_ ids: String..., from: String = "ann@example.org", to: [String] = ["bob@elsewhere.example"], queueID: String? = nil) throws -> SentEntry {
    SentEntry(ids: try ids.map(id), queueID: queueID.map { Octets($0) }, reversePath: Octets(from), forwardPaths: to.map { Octets($0) })
}

extension LMDBSentLog {
    /// Records as a daemon does, and waits.
    func recordNow(_ entry: SentEntry, at now: Int64) throws(SentLogError) {
        guard let done = Signal() else { throw .closed }
        let outcome = Outcome()
        record(entry, at: now) { error in
            outcome.error.withLock { $0 = error }
            done.raise()
        }
        done.wait()
        if let error = outcome.error.withLock({ $0 }) { throw error }
    }

    func knows(_ text: String, at now: Int64) throws -> Bool {
        let findings = answer(Inquiry(ids: [try id(text)]), at: now)
        return findings.availability == .answered && findings.ids[0] != nil
    }
}

private final class Outcome: Sendable {
    let error = Mutex<SentLogError?>(nil)
}
