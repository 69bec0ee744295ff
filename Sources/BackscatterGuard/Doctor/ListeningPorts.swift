// Who listens on this machine: the kernel's tables of sockets, and which processes have them open (proc(5)). A Unix socket
// is asked itself, by connecting: guardd renames it into its place, and the kernel knows it by its first name.

import Foundation
import Glibc

/// The listening sockets at one moment.
struct ListeningPorts {
    struct Holder: Equatable, Sendable {
        let pid: Int32
        let program: String
    }

    private struct Entry {
        let address: PeerAddress
        let inode: UInt64
        let uid: UInt32?
    }

    /// What was found at an address.
    struct Found: Equatable {
        /// Processes that have the socket open, as far as this user may see them.
        let holders: [Holder]
        /// Owner of the socket; nil where the kernel does not say.
        let uid: UInt32?

        var guardd: Holder? { holders.first { $0.program.hasPrefix("guardd") } }
        var stranger: Holder? { holders.first { !$0.program.hasPrefix("guardd") && !($0.pid == 1 && $0.program == "systemd") } }
        var isSystemd: Bool { holders.contains { $0.pid == 1 && $0.program == "systemd" } }
    }

    private let proc: String
    private let entries: [Entry]
    private let holders: [UInt64: [Holder]]

    /// - Parameter proc: where proc(5) is.
    init(proc: String = "/proc") {
        self.proc = proc
        entries = ["tcp", "tcp6"].flatMap { ListeningPorts.lines("\(proc)/net/\($0)").compactMap(ListeningPorts.entry) }
        holders = ListeningPorts.holders(of: Set(entries.map(\.inode)), proc)
    }

    /// Who listens where a listener of the configuration does; nil: nobody.
    func at(_ listener: Configuration.Listener) -> Found? {
        if let path = listener.path { return at(path: path) }
        let own = entries.filter { $0.address == listener.address }
        return found(own.isEmpty ? entries.filter { ListeningPorts.overlaps($0.address, listener.address) } : own)
    }

    func at(path: String) -> Found? {
        guard let address = SocketAddress.unix(path) else { return nil }
        let descriptor: CInt
        switch address.connect() {
        case .success(let made): descriptor = made
        case .failure(.system(_, EACCES)): return Found(holders: [], uid: nil)
        case .failure: return nil
        }
        defer { _ = close(descriptor) }
        guard let peer = UnixPeer.listener(of: descriptor) else { return Found(holders: [], uid: nil) }
        return Found(holders: [Holder(pid: peer.pid, program: ListeningPorts.program(peer.pid, proc))], uid: peer.uid)
    }

    private func found(_ here: [Entry]) -> Found? {
        guard let first = here.first else { return nil }
        let all = here.flatMap { holders[$0.inode] ?? [] }
        let unique = all.enumerated().filter { index, holder in !all[..<index].contains(holder) }.map(\.element)
        return Found(holders: unique.sorted { $0.pid < $1.pid }, uid: first.uid)
    }

    /// One of the two is a wildcard that takes the other's clients. An IPv6 wildcard may take IPv4 as well.
    private static func overlaps(_ entry: PeerAddress, _ wanted: PeerAddress) -> Bool {
        guard entry.port == wanted.port else { return false }
        if entry.family == wanted.family { return isWildcard(entry) || isWildcard(wanted) }
        return entry.family == .ipv6 && isWildcard(entry)
    }

    private static func isWildcard(_ address: PeerAddress) -> Bool { address.octets.allSatisfy { $0 == 0 } }

    private static func lines(_ path: String) -> [[Substring]] {
        guard let octets = try? ConfigurationSystem.contents(of: path, limit: 64 << 20).get() else { return [] }
        return String(decoding: octets, as: UTF8.self).split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
    }

    /// `0: 0100007F:0019 00000000:0000 0A … uid timeout inode`: words of the address as the machine keeps them.
    private static func entry(_ words: [Substring]) -> Entry? {
        guard words.count > 9, words[3] == "0A", let inode = UInt64(words[9]) else { return nil }
        let parts = words[1].split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16), parts[0].utf8.count % 8 == 0 else { return nil }
        var raw = Octets()
        var rest = parts[0][...]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            raw += unsafe withUnsafeBytes(of: word) { unsafe Octets($0) }
            rest = rest.dropFirst(8)
        }
        return PeerAddress(raw: raw, port: port).map { Entry(address: $0, inode: inode, uid: UInt32(words[7])) }
    }

    private static func holders(of inodes: Set<UInt64>, _ proc: String) -> [UInt64: [Holder]] {
        var found: [UInt64: [Holder]] = [:]
        let processes = ((try? FileManager.default.contentsOfDirectory(atPath: proc)) ?? []).compactMap { Int32($0) }
        for pid in processes.sorted() {
            let folder = "\(proc)/\(pid)/fd"
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"),
                      target.hasPrefix("socket:["), let inode = UInt64(target.dropFirst(8).dropLast()), inodes.contains(inode)
                else { continue }
                found[inode, default: []].append(Holder(pid: pid, program: program(pid, proc)))
            }
        }
        return found
    }

    private static func program(_ pid: Int32, _ proc: String) -> String {
        SmallFile.read("\(proc)/\(pid)/comm").map { ASCII.washed($0.utf8.prefix { $0 != ASCII.lf }, limit: 32) } ?? "?"
    }
}
