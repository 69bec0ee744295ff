@testable import BackscatterGuard
import Foundation

/// What a log told, as texts: `<id> from reverse-path`, with what else there is behind it.
enum ReadLog {
    /// 2026-11-22 12:00:00 UTC.
    static let now: Int64 = 1_795_348_800

    static func site(relays: [String] = [], pairs: LogSite.Pairs = .withoutID) -> LogSite {
        let own = [Octets("192.0.2.7"), Octets("2001:db8::7")]
        return LogSite(relays: relays.map { Octets($0) }, pairs: pairs, domains: { [Octets("ours.example"), Octets("more.example")] }) { own.contains($0) } isOwnAddress: { address in
            guard let at = address.lastIndex(of: ASCII.at) else { return true }
            return ASCII.equal(address[(at + 1)...], "ours.example")
        }
    }

    static func mails(_ lines: String, _ format: MTALogFormat, _ site: LogSite = site(), now: Int64 = now) -> [LoggedMail] {
        var log = MTALog(format, site, now: now, isUTC: true)
        log.read(Octets(lines).span)
        log.finish()
        return log.take()
    }

    static func told(_ lines: String, _ format: MTALogFormat = .postfix, _ site: LogSite = site()) -> [String] {
        mails(lines, format, site).map { text($0.entry) }
    }

    static func text(_ entry: SentEntry) -> String {
        func shown(_ octets: Octets) -> String { String(decoding: octets, as: UTF8.self) }
        var words = entry.ids.map { "<\(shown($0.octets))>" }
        words += entry.idBeginnings.map { "<\(shown($0))..." }
        if let queueID = entry.queueID { words.append("queued as \(shown(queueID))") }
        if entry.isBound { words.append("bound") }
        words.append("from \(shown(entry.reversePath))")
        if entry.keepsPairs { words += entry.forwardPaths.map { "to \(shown($0))" } }
        return words.joined(separator: " ")
    }

    /// A log recorded from a real MTA; nil where the recordings are not at hand.
    static func recording(_ name: String) -> Octets? {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../../shared/zoo/logs").standardizedFileURL
        return (try? Data(contentsOf: folder.appending(path: name))).map { Octets($0) }
    }
}
