// Mode "auto" over the life of the daemon: notices bounces that show mail leaving unrecorded, keeps them in a file of the
// state directory, forgets them when none has come for a bounce window, and tells the administrator what is enforced.

import Glibc
import Synchronization

/// Keeps what stands in the way of enforcing. `judged` may come from any thread, the rest from the main loop.
final class EnforcementKeeper: Sendable {
    let blocks: EnforcementBlocks
    private let path: String
    private let log: LogWriter
    private let state: Mutex<State>

    private struct State {
        var hosts: OwnHosts
        /// Since when all mail is said to be recorded; nil: it isn't. What was sent before tells nothing.
        var recordedSince: Int64?
        var isChanged = false
        /// What was said last: the patterns that are enforced, and when those that are not were named.
        var announced: Announcement?
        var warned: Int64 = 0
    }

    /// Which patterns of mode `auto` are enforced.
    struct Announcement: Equatable {
        var enforced: [String]
        var isCovered: Bool
        var blocked: [String]
    }

    init(_ blocks: EnforcementBlocks, stateDirectory: String, hosts: OwnHosts, log: LogWriter) {
        self.blocks = blocks
        path = EnforcementBlocks.path(in: stateDirectory)
        self.log = log
        state = Mutex(State(hosts: hosts))
    }

    /// A reload may have changed who is ours.
    func replace(hosts: OwnHosts) { state.withLock { $0.hosts = hosts } }

    /// A notification was judged. One that would have been refused, and returned a mail that began here while all mail is
    /// said to be recorded, blocks. A mail without a date may be of that time.
    func judged(_ summary: TransactionSummary, _ policy: Policy, at now: Int64) {
        guard summary.judgement?.wouldRefuse == true, let evidence = summary.evidence,
              let host = state.withLock({ state in
                  state.recordedSince.flatMap { evidence.originalTime ?? .max >= $0 ? state.hosts.origin(of: evidence) : nil }
              })
        else { return }
        let paths = summary.forwardPaths.compactMap(ForwardPath.init)
        let patterns = Set(paths.flatMap { policy.protectedPatterns(of: $0) }).sorted()
        guard !patterns.isEmpty else { return }
        let id = ASCII.washed(evidence.originalMessageIDs.first?.octets ?? [])
        let isNew = blocks.note(patterns, host: host, messageID: id, at: now)
        state.withLock { $0.isChanged = true }
        if isNew {
            log.write(.warning, "enforcement: \(patterns.joined(separator: ", ")) stays in observe mode: a bounce returned <\(id)>, which \(host) sent, a host of ours: mail leaves from there unrecorded; \(Self.remedy)")
        }
    }

    private static let remedy = "record what it sends, or write mode = \"enforce\" if that is not so"

    /// Once a minute, and at the start: forgets, saves, and tells of changes.
    ///
    /// - Parameters:
    ///   - recordedSince: since when, without a hole, all mail is recorded, by the sent log's word; nil: it isn't.
    ///   - bounceWindow: seconds.
    func tick(_ policy: Policy, recordedSince: Int64?, bounceWindow: Int64, at now: Int64) {
        state.withLock { $0.recordedSince = recordedSince }
        if blocks.forget(before: now - bounceWindow, except: Set(policy.protectedPatterns)) { state.withLock { $0.isChanged = true } }
        save()
        let isCovered = recordedSince.map { $0 <= now - bounceWindow } ?? false
        let automatic = policy.automaticPatterns.sorted()
        let blocked = blocks.all
        let news = Announcement(
            enforced: isCovered ? automatic.filter { blocked[$0] == nil } : [], isCovered: isCovered, blocked: automatic.filter { blocked[$0] != nil }
        )
        let (last, isDue) = state.withLock { state in
            defer {
                state.announced = news
                if now - state.warned >= 86_400 { state.warned = now }
            }
            return (state.announced, now - state.warned >= 86_400)
        }
        tell(news, last, isDue: isDue, isAutomatic: !automatic.isEmpty)
    }

    private func tell(_ news: Announcement, _ last: Announcement?, isDue: Bool, isAutomatic: Bool) {
        guard isAutomatic else { return }
        if news.enforced != last?.enforced, !news.enforced.isEmpty {
            log.write(.info, "enforcement: forged bounces are refused for \(news.enforced.joined(separator: ", "))")
        }
        if !news.isCovered, last?.isCovered != false {
            log.write(.info, "enforcement: observing, nothing is refused before the sent log covers bounce_window (guardd sent stats)")
        }
        guard news.isCovered, !news.blocked.isEmpty, isDue || news.blocked != last?.blocked else { return }
        for pattern in news.blocked {
            guard let block = blocks.all[pattern] else { continue }
            log.write(.warning, "enforcement: \(pattern) \(block.text); \(Self.remedy)")
        }
    }

    /// Writes it if it has changed: to a new file that takes the old one's place.
    func save() {
        let isChanged = state.withLock { state in
            defer { state.isChanged = false }
            return state.isChanged
        }
        guard isChanged else { return }
        let new = path + ".new"
        guard let file = Descriptor(new, O_WRONLY | O_CREAT | O_TRUNC), file.writeDurably(blocks.octets), unsafe rename(new, path) == 0 else {
            state.withLock { $0.isChanged = true }
            return log.write(.error, "\(path) can't be written: \(systemReason())")
        }
    }
}

extension EnforcementBlocks {
    static func path(in stateDirectory: String) -> String { "\(stateDirectory)/enforcement-blocks" }

    /// As the daemon left them; none where it left none. A line that is damaged is passed over.
    public convenience init(stateDirectory: String) {
        self.init(octets: (try? ConfigurationSystem.contents(of: Self.path(in: stateDirectory), limit: 4 << 20).get()) ?? [])
    }

    /// Lines: pattern TAB count TAB time TAB host TAB id.
    convenience init(octets: Octets) {
        var blocks: [String: Block] = [:]
        for line in octets.split(separator: ASCII.lf) {
            let words = line.split(separator: ASCII.tab, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
            guard words.count == 5, let count = Int(words[1]), let time = Int64(words[2]) else { continue }
            blocks[words[0]] = Block(count: count, time: time, host: words[3], messageID: words[4])
        }
        self.init(blocks)
    }

    var octets: Octets {
        let lines = all.sorted { $0.key < $1.key }.map { pattern, block in
            "\(pattern)\t\(block.count)\t\(block.time)\t\(block.host)\t\(block.messageID)\n"
        }
        return Octets(lines.joined().utf8)
    }

    /// What stands in the way, for people.
    public var lines: [String] { all.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.text)" } }
}

extension EnforcementBlocks.Block {
    var text: String {
        "stays in observe mode: \(count == 1 ? "a bounce" : "\(count) bounces") returned mail that a host of ours sent unrecorded, the last <\(messageID)> from \(host) at \(UTC.text(time))"
    }
}

extension Configuration {
    /// The hosts whose unrecorded mail keeps a domain from being enforced.
    func ownHosts(_ policy: Policy) -> OwnHosts {
        let names = policy.protectedPatterns.map { Octets($0.utf8.drop { $0 == ASCII.dot }) }
        return OwnHosts(networks: outgoingNetworks, addresses: Configuration.interfaceAddresses(), names: names + [ASCII.lowercased(hostname.utf8)])
    }
}
