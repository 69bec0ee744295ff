import Glibc
import Testing
@testable import BackscatterGuard

@Suite("Dialling: connect(2) has a deadline, a connection that stands has others") struct DiallingTests {
    @Test func aLinkThatHasSpokenIsNotTimedOut() throws {
        let listening = try Listener.open(.ipv4([127, 0, 0, 1], port: 0))
        defer { close(listening) }
        let dialling = Dialling(targets: [], timeout: 1_000)
        let descriptor = try #require(Dialling.open(SocketAddress.local(of: listening), at: 0, dialling))
        defer { close(descriptor) }
        #expect(!dialling.hasTimedOut(at: 1_000))
        #expect(dialling.hasTimedOut(at: 1_001))
        dialling.stands()
        #expect(!dialling.hasTimedOut(at: 99_999), "a full send buffer is not a connection that never stood")
    }
}
