// Bounces that real mail software made of mails written for this project; they lie in Tests/Fixtures/zoo.

import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Bounces of real mail software") struct ZooFixtureTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/zoo")

    @Test(arguments: [
        ("exim-folded", "mail.victim.example", 160), ("postfix-forward", "zoo-postfix-forward.20261122@mail.victim.example", 0),
        ("qmail-bodymid", "zoo-qmail-bodymid.20261122@mail.victim.example", 0), ("postfix-multiline", "zoo-postfix-multiline.20261122@mail.victim.example", 0),
    ])
    func readsTheOriginal(_ name: String, _ id: String, _ length: Int) throws {
        let content = Octets(try Data(contentsOf: Self.folder.appendingPathComponent("\(name).eml")))
        let whole = CorpusScore.read([content])
        #expect(whole.kind == .bounce && whole.recipients.count == 1 && whole.recipients[0].hasPrefix("nobody-\(name)@"))
        #expect(whole.ids.first?.hasSuffix(id) == true && whole.ids.count == 1 && (whole.ids.first?.utf8.count ?? 0) >= length)
        for cut in stride(from: 1, to: content.count, by: 3) {
            #expect(CorpusScore.read([Octets(content[..<cut]), Octets(content[cut...])]) == whole, "cut at \(cut)")
        }
        #expect(CorpusScore.read(content.map { [$0] }) == whole)
        #expect(CorpusScore.read([content.filter { $0 != ASCII.cr }]).ids == whole.ids)
    }
}
