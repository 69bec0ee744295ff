// Real bounces that nobody here wrote, and the zoo of bounces made by real mail software, against their truth.
// Both lie beside the project, not in it; where they are missing the tests are skipped and say so.

import Foundation
import Testing
@testable import BackscatterGuard

/// One message with what is known of it.
struct CorpusRow: Sendable {
    var name: String
    var path: String
    var kind: NotificationKind?
    var ids: [String]
    var failedRecipients: [String]

    func content() throws -> Octets { Octets(try Data(contentsOf: URL(fileURLWithPath: path))) }
}

enum Shared {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared")

    static func has(_ name: String) -> Bool {
        let isThere = FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
        if !isThere { print("skipped: no ../shared/\(name) beside the project") }
        return isThere
    }

    /// Rows of corpus/manifest.tsv.
    static func corpus() throws -> [CorpusRow] {
        let folder = folder.appendingPathComponent("corpus")
        let text = try String(contentsOf: folder.appendingPathComponent("manifest.tsv"), encoding: .utf8)
        return text.split(separator: "\n").dropFirst().map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return CorpusRow(
                name: columns[0], path: folder.appendingPathComponent(columns[0]).path, kind: kinds[columns[1]],
                ids: columns[4].isEmpty ? [] : [columns[4]] + list(columns[5]), failedRecipients: list(columns[7]))
        }
    }

    /// Sidecars of zoo/*.eml.
    static func zoo() throws -> [CorpusRow] {
        let folder = folder.appendingPathComponent("zoo")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".eml") }.sorted()
        return try names.map { name in
            let path = folder.appendingPathComponent(name)
            let sidecar = try JSONDecoder().decode(
                Sidecar.self, from: Data(contentsOf: path.deletingPathExtension().appendingPathExtension("json")))
            return CorpusRow(name: name, path: path.path, kind: sidecar.kind, ids: sidecar.id.map { [$0] } ?? [],
                             failedRecipients: sidecar.carriesOriginal ? [sidecar.failed_recipient].compactMap { $0 } : [])
        }
    }

    private struct Sidecar: Decodable {
        var variant: String
        var original_message_id: String?
        var id_locations: [String]?
        var original_carrier: String?
        var failed_recipient: String?

        var carriesOriginal: Bool { original_carrier != nil && original_carrier != "none" }
        var isAutoReply: Bool { variant.hasPrefix("vacation") || ["plain", "folded", "nomid"].contains(variant) && !carriesOriginal }
        var kind: NotificationKind { isAutoReply ? .autoReply : .bounce }
        var id: String? {
            guard !isAutoReply, var id = original_message_id else { return nil }
            if id.hasPrefix("<"), let end = id.firstIndex(of: ">") { id = String(id[id.index(after: id.startIndex)..<end]) }
            return id
        }
    }

    private static let kinds: [String: NotificationKind] = [
        "dsn": .bounce, "plain-text-bounce": .bounce, "mdn": .mdn, "autoreply": .autoReply,
        "arf-feedback": .feedbackReport, "other": .other,
    ]

    private static func list(_ text: String) -> [String] { text.split(separator: ",").map(String.init) }
}

/// What the reader makes of all rows, counted.
struct CorpusScore {
    var rows = 0, withID = 0, rightIDs = 0, wrongIDs: [String] = [], missedIDs: [String] = []
    var withRecipients = 0, foundRecipients = 0, missedRecipients: [String] = [], wrongKinds: [String] = []
    var falseBounces: [String] = []
    var extraRecipients: [String] = []

    init(_ rows: [CorpusRow]) throws {
        for row in rows { take(row, Self.read([try row.content()])) }
    }

    static func read(_ chunks: [Octets]) -> Evidence {
        var reader = NotificationReader()
        for chunk in chunks { reader.read(chunk.span) }
        reader.finish()
        return reader.evidence
    }

    private mutating func take(_ row: CorpusRow, _ evidence: Evidence) {
        rows += 1
        let first = evidence.originalMessageIDs.first.map { String(decoding: $0.octets, as: UTF8.self) }
        if row.ids.isEmpty {
            if let first { wrongIDs.append("\(row.name): \(first) where there is none") }
        } else {
            withID += 1
            if let first, row.ids.contains(first) { rightIDs += 1 }
            else if let first { wrongIDs.append("\(row.name): \(first) instead of \(row.ids[0])") }
            else { missedIDs.append("\(row.name): \(row.ids[0])") }
        }
        let found = Set(evidence.failedRecipients.map { String(decoding: $0, as: UTF8.self).lowercased() })
        if !row.failedRecipients.isEmpty {
            withRecipients += 1
            if row.failedRecipients.allSatisfy({ found.contains($0.lowercased()) }) { foundRecipients += 1 }
            else { missedRecipients.append("\(row.name): \(row.failedRecipients) not in \(found.sorted())") }
        }
        let extra = found.subtracting(row.failedRecipients.map { $0.lowercased() })
        if !extra.isEmpty { extraRecipients.append("\(row.name): \(extra.sorted()) beyond \(row.failedRecipients)") }
        if let kind = row.kind, kind != evidence.kind {
            wrongKinds.append("\(row.name): \(evidence.kind.rawValue) instead of \(kind.rawValue)")
            if evidence.kind == .bounce { falseBounces.append(row.name) }
        }
    }

    var report: String {
        """
        rows \(rows): ids right \(rightIDs) of \(withID), wrong \(wrongIDs.count), missed \(missedIDs.count); \
        recipients \(foundRecipients) of \(withRecipients); kinds right \(rows - wrongKinds.count)
        """
    }
}

@Suite("Corpus and zoo: evidence against the truth") struct CorpusTests {
    @Test(.enabled(if: Shared.has("corpus"))) func corpus() throws {
        let score = try CorpusScore(Shared.corpus())
        print("corpus:", score.report)
        #expect(score.rows == 306 && score.withID == 253)
        #expect(score.wrongIDs == [] && score.missedIDs == [] && score.falseBounces == [])
        #expect(score.foundRecipients * 100 >= score.withRecipients * 97, "\(score.missedRecipients)")
        // One mail of the corpus is an automatic reply by what it says in Latvian only.
        #expect(score.wrongKinds.count <= 1, "\(score.wrongKinds)")
    }

    @Test(.enabled(if: Shared.has("zoo"))) func zoo() throws {
        let score = try CorpusScore(Shared.zoo())
        print("zoo:", score.report)
        #expect(score.rows == 85 && score.withID == 78)
        #expect(score.wrongIDs == [] && score.missedIDs == [] && score.missedRecipients == [] && score.wrongKinds == [])
    }

    /// The same with bare LF, and cut at random places: nothing of the evidence may change.
    @Test(.enabled(if: Shared.has("corpus") && Shared.has("zoo"))) func divisionsAndLineEnds() throws {
        var random = SystemRandomNumberGenerator()
        for row in try Shared.corpus() + Shared.zoo() {
            let content = try row.content()
            let whole = CorpusScore.read([content])
            var chunks: [Octets] = []
            var rest = content[...]
            while !rest.isEmpty {
                let chunk = rest.prefix(Int.random(in: 1...1500, using: &random))
                chunks.append(Octets(chunk))
                rest = rest.dropFirst(chunk.count)
            }
            #expect(CorpusScore.read(chunks) == whole, "\(row.name) cut into \(chunks.map(\.count))")
            let bare = CorpusScore.read([content.filter { $0 != ASCII.cr }])
            #expect(bare.originalMessageIDs == whole.originalMessageIDs && bare.kind == whole.kind, "\(row.name)")
        }
    }
}
