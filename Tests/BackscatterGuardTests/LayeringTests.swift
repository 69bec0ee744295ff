import Foundation
import Testing

/// DESIGN.md, "Rooms": which folder of the library may know which, and which modules it may import. There is one module,
/// so the compiler does not hold this.
@Suite("DESIGN.md: who may name whom") struct LayeringTests {
    struct Room {
        /// Folders whose top-level types it may name.
        var knows: [String]
        /// Modules that it may import.
        var imports: Set<String> = []
        /// Of folders that it does not know as a whole, the types it may name.
        var types: Set<String> = []
    }

    static let interface: Set<String> = ["SentLog", "SentRecord", "SentEntry", "Inquiry", "Findings", "SentLogError"]

    static let rooms: [String: Room] = [
        "Octets": Room(knows: [], imports: ["Glibc"]),
        "SMTP": Room(knows: ["Octets"], imports: ["Glibc"]),
        "Milter": Room(knows: ["Octets"]),
        "Message": Room(knows: ["Octets"], imports: ["Glibc"]),
        "Notification": Room(knows: ["Octets", "SMTP", "Message"]),
        "SentLog": Room(knows: ["Octets", "Message"], imports: ["CLMDB", "CHiredis", "COpenSSL", "CZlib", "Glibc", "Synchronization"]),
        "Policy": Room(knows: ["Octets", "SMTP", "Message", "Notification"], imports: ["Synchronization"], types: interface),
        "Telemetry": Room(knows: ["Octets", "SMTP", "Message", "Notification", "Policy"], types: interface),
        "Session": Room(
            knows: ["Octets", "SMTP", "Milter", "Message", "Notification", "Policy", "Telemetry"],
            imports: ["Synchronization"], types: interface),
        // Programs that run under other users than the daemon: none of them may name the log itself.
        "Hooks": Room(
            knows: ["Octets", "Message", "SMTP"], imports: ["Glibc"],
            types: ["SentEntry", "SentRecorder", "SentLogError", "RecordLine", "SpoolFolder", "SpoolItem", "Descriptor", "FileIdentity", "SocketAddress"]),
        "Reactor": Room(knows: [], imports: ["CEvent", "COpenSSL", "Glibc", "Synchronization"]),
        "Daemon": Room(
            knows: ["Octets", "SMTP", "Milter", "Message", "Notification", "SentLog", "Policy", "Telemetry", "Session", "Reactor", "Hooks"],
            imports: ["Foundation", "Glibc", "Synchronization", "TOMLKit"]),
        // What looks at a running guardd from outside: doctor, selftest. Nobody knows it but the command line.
        "Doctor": Room(
            knows: ["Octets", "SMTP", "Milter", "Message", "Notification", "SentLog", "Policy", "Telemetry", "Session", "Reactor", "Hooks", "Daemon"],
            imports: ["Foundation", "Glibc", "Synchronization"]),
    ]

    /// The scanning of octets is a language of its own that every room speaks.
    static let words: Set<String> = ["Octets", "ASCII"]

    struct Source {
        let room: String
        let path: String
        /// Without comments and the text of strings.
        let code: String
    }

    static let sources: [Source] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/BackscatterGuard").standardizedFileURL
        let paths = (FileManager.default.subpaths(atPath: folder.path) ?? []).filter { $0.hasSuffix(".swift") }.sorted()
        return paths.compactMap { path in
            guard let text = try? String(contentsOf: folder.appending(path: path), encoding: .utf8) else { return nil }
            return Source(room: String(path.prefix { $0 != "/" }), path: path, code: Self.stripped(text))
        }
    }()

    /// Top-level types that other files can see, with their rooms.
    static let types: [String: String] = {
        let declaration = /^(?:@\w+(?:\([^)]*\))? )*(?:(?:public|final|indirect|package|nonisolated) )*(?:struct|class|enum|protocol|actor|typealias) (\w+)/.anchorsMatchLineEndings()
        var types: [String: String] = [:]
        for source in sources {
            for match in source.code.matches(of: declaration) { types[String(match.1)] = source.room }
        }
        return types
    }()

    /// Types within others, by room: a room's own may be called like one of another room's.
    static let nestedTypes: [String: Set<String>] = {
        let declaration = /^ +(?:(?:public|private|fileprivate|final|indirect) )*(?:struct|class|enum|actor|typealias) (\w+)/.anchorsMatchLineEndings()
        var nested: [String: Set<String>] = [:]
        for source in sources {
            for match in source.code.matches(of: declaration) { nested[source.room, default: []].insert(String(match.1)) }
        }
        return nested
    }()

    @Test func everyFolderIsInTheTable() {
        #expect(Self.sources.count > 100 && Self.types.count > 100)
        #expect(Set(Self.sources.map(\.room)).isSubset(of: Self.rooms.keys))
    }

    @Test(arguments: rooms.keys.sorted()) func importsOnlyWhatIsItsOwn(_ name: String) throws {
        let room = try #require(Self.rooms[name])
        let statement = /^(?:@\w+ )?(?:public |internal |private )?import (?:struct |class |enum |func )?(\w+)/.anchorsMatchLineEndings()
        for source in Self.sources where source.room == name {
            for match in source.code.matches(of: statement) {
                #expect(room.imports.contains(String(match.1)), "\(source.path) imports \(match.1)")
            }
        }
    }

    @Test(arguments: rooms.keys.sorted()) func namesOnlyWhatIsBelow(_ name: String) throws {
        let room = try #require(Self.rooms[name])
        for source in Self.sources where source.room == name {
            for type in Self.names(in: source.code) {
                guard let home = Self.types[type], home != name, !Self.words.contains(type), Self.nestedTypes[name]?.contains(type) != true else { continue }
                #expect(room.knows.contains(home) || room.types.contains(type), "\(source.path) names \(type) of \(home)")
            }
        }
    }

    @Test func onlyTheCommandLineIsOutside() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/guardd").standardizedFileURL
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        #expect(files.count > 5)
        for file in files {
            let code = Self.stripped(try String(contentsOf: folder.appending(path: file), encoding: .utf8))
            for module in ["CEvent", "CHiredis", "CLMDB", "COpenSSL", "CZlib", "TOMLKit"] { #expect(!code.contains("import \(module)"), "\(file)") }
        }
    }

    /// Words with a capital; one behind a dot belongs to the type before it and is left out.
    static func names(in code: String) -> Set<String> {
        func isWord(_ octet: UInt8) -> Bool { octet == UInt8(ascii: "_") || octet >= 0x80 || (octet | 0x20 >= 0x61 && octet | 0x20 <= 0x7A) || (octet >= 0x30 && octet <= 0x39) }
        var names: Set<String> = []
        var before: UInt8 = 0
        for (index, word) in pieces(of: Array(code.utf8), isWord) {
            defer { before = word.last ?? 0 }
            guard index, before != UInt8(ascii: "."), let first = word.first, first >= 0x41, first <= 0x5A else { continue }
            names.insert(String(decoding: word, as: UTF8.self))
        }
        return names
    }

    /// The code cut into words (true) and what is between them.
    private static func pieces(of code: [UInt8], _ isWord: (UInt8) -> Bool) -> [(Bool, ArraySlice<UInt8>)] {
        var pieces: [(Bool, ArraySlice<UInt8>)] = []
        var rest = code[...]
        while let first = rest.first {
            let kind = isWord(first)
            let piece = rest.prefix { isWord($0) == kind }
            pieces.append((kind, piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }

    /// Code without comments and without the text of strings; what is interpolated stays.
    static func stripped(_ text: String) -> String {
        var code: [UInt8] = []
        var rest = Array(text.utf8)[...]
        /// Open strings: how many parentheses are open in the interpolation that is being read, -1 in the text itself; and the quotes.
        var strings: [(depth: Int, quotes: Int)] = []
        while let octet = rest.first {
            if let string = strings.last, string.depth < 0 {
                if rest.starts(with: Array("\\(".utf8)) {
                    strings[strings.count - 1].depth = 1
                    rest = rest.dropFirst(2)
                } else if octet == UInt8(ascii: "\\") {
                    rest = rest.dropFirst(2)
                } else if rest.starts(with: repeatElement(UInt8(ascii: "\""), count: string.quotes)) {
                    strings.removeLast()
                    rest = rest.dropFirst(string.quotes)
                } else {
                    if octet == UInt8(ascii: "\n") { code.append(octet) }
                    rest = rest.dropFirst()
                }
                continue
            }
            if rest.starts(with: Array("//".utf8)) {
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            } else if octet == UInt8(ascii: "\"") {
                let quotes = rest.starts(with: Array("\"\"\"".utf8)) ? 3 : 1
                strings.append((-1, quotes))
                rest = rest.dropFirst(quotes)
            } else {
                if !strings.isEmpty {
                    if octet == UInt8(ascii: "(") { strings[strings.count - 1].depth += 1 }
                    if octet == UInt8(ascii: ")") { strings[strings.count - 1].depth -= 1 }
                    if strings[strings.count - 1].depth == 0 {
                        strings[strings.count - 1].depth = -1
                        rest = rest.dropFirst()
                        code.append(UInt8(ascii: " "))
                        continue
                    }
                }
                code.append(octet)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: code, as: UTF8.self)
    }

    @Test(arguments: [
        ("let a = \"B // C\" // D\nE", "let a =  \nE"), ("\"a\\(F(g: \"H\"))i\"", "F(g: ) "), ("\"\"\"\nA \"B\"\n\"\"\"C", "\n\nC"), ("\"\\\"A\" B", " B"),
    ]) func stripping(_ text: String, _ code: String) {
        #expect(Self.stripped(text) == code)
    }
}
