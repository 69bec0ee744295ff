import Glibc
import Testing
@testable import BackscatterGuard

@Suite("Upstreams: which are down, and what is tried instead") struct UpstreamHealthTests {
    private let told = Told()
    private let health: UpstreamHealth
    private let first = SocketAddress.ipv4([127, 0, 0, 1], port: 1), second = SocketAddress.ipv4([127, 0, 0, 1], port: 2)

    init() {
        let told = told
        health = UpstreamHealth { upstream, reason in told.add("\(upstream) \(reason ?? "back")") }
    }

    private func order(_ targets: [UpstreamTarget]? = nil) -> [String] {
        let dialling = Dialling(targets: targets ?? [.address(first), .address(second)], timeout: 30_000, health: health)
        var order: [String] = []
        while true {
            switch dialling.next(at: 0) {
            case .address(let address): order.append(address.text)
            case .name(let host, let port): order.append("\(host):\(port)")
            case .program: order.append("program")
            case .none: return order
            }
        }
    }

    @Test func allUp() { #expect(order() == ["127.0.0.1:1", "127.0.0.1:2"]) }

    @Test func oneThatIsDownIsTriedLast() {
        health.failed(.address(first), .refused("Connection refused"), at: 0)
        #expect(order() == ["127.0.0.1:2", "127.0.0.1:1"])
        health.works(.address(first))
        #expect(order() == ["127.0.0.1:1", "127.0.0.1:2"])
        #expect(told.all == ["127.0.0.1:1 Connection refused", "127.0.0.1:1 back"])
    }

    @Test func oneThatCostsTimeIsNotTried() {
        health.failed(.address(first), .silent, at: 0)
        #expect(order() == ["127.0.0.1:2"])
        health.failed(.address(second), .silent, at: 0)
        #expect(order() == [])
    }

    /// It may be meant for one client: a stranger must not be able to put the mail server out of the way.
    @Test func aBadGreetingIsOnlyAQuestion() {
        health.failed(.address(first), .questionable, at: 0)
        #expect(order() == ["127.0.0.1:1", "127.0.0.1:2"])
        #expect(health.questions(at: 0) == [.address(first)])
        #expect(told.all == [])
        health.denied(.address(first), "no 220 for a greeting", isSilent: false)
        #expect(order() == ["127.0.0.1:2", "127.0.0.1:1"])
        #expect(told.all == ["127.0.0.1:1 no 220 for a greeting"])
    }

    /// For the status: a name is as its addresses are.
    @Test func aNameIsDownWhenAllItsAddressesAre() {
        let name = UpstreamHealth.Key.name("mx.example", 25)
        #expect(health.state(of: name) == nil)
        health.resolved(name, to: [first, second])
        health.failed(.address(first), .refused("Connection refused"), at: 0)
        #expect(health.state(of: name) == nil && health.state(of: .address(first))?.reason == "Connection refused")
        health.failed(.address(second), .silent, at: 0)
        #expect(health.state(of: name)?.reason != nil)
        health.works(.address(first))
        #expect(health.state(of: name) == nil)
        health.resolved(name, to: [second])
        #expect(health.state(of: name)?.reason == "connection timed out")
        health.failed(name, .refused("no address for mx.example"), at: 0)
        #expect(health.state(of: name)?.reason == "no address for mx.example")
    }

    @Test func toldOnceEach() {
        for _ in 0..<3 { health.failed(.address(first), .refused("Connection refused"), at: 0) }
        health.denied(.address(first), "connection timed out", isSilent: true)
        for _ in 0..<3 { health.works(.address(first)) }
        #expect(told.all == ["127.0.0.1:1 Connection refused", "127.0.0.1:1 back"])
    }

    @Test func anAnswerToAQuestionThatIsSettledMeansNothing() {
        health.denied(.address(first), "connection timed out", isSilent: true)
        #expect(health.all.isEmpty && told.all == [])
    }

    @Test func whatNobodyWantsIsForgotten() {
        health.failed(.address(first), .silent, at: 0)
        #expect(health.questions(at: 599_000).count == 1)
        #expect(health.questions(at: 601_000).isEmpty)
        #expect(order() == ["127.0.0.1:1", "127.0.0.1:2"])
    }

    @Test func aNameWithSeveralAddresses() {
        let dialling = Dialling(targets: [.name("mx.example", 25), .address(second)], timeout: 30_000, health: health)
        guard case .name("mx.example", 25) = dialling.next(at: 0) else { Issue.record("no name"); return }
        health.failed(.address(first), .refused("Connection refused"), at: 0)
        let third = SocketAddress.ipv4([127, 0, 0, 1], port: 3)
        dialling.found([first, third], at: 0)
        for expected in [third, second, first] {
            guard case .address(expected) = dialling.next(at: 0) else { Issue.record("\(expected.text)"); return }
        }
        #expect(dialling.host == "mx.example", "TLS verifies the name that the address was found by")
    }

    @Test func aNameWithoutAddress() {
        let dialling = Dialling(targets: [.name("mx.example", 25)], timeout: 30_000, health: health)
        _ = dialling.next(at: 0)
        dialling.found([], at: 0)
        #expect(told.all == ["mx.example:25 no address for mx.example"])
        #expect(order([.name("mx.example", 25), .address(second)]) == ["127.0.0.1:2"])
    }

    @Test(arguments: [(ECONNREFUSED, UpstreamHealth.Standing.down), (ENOENT, .down), (ETIMEDOUT, .silent), (EHOSTUNREACH, .silent), (ECONNRESET, .up), (EADDRNOTAVAIL, .up)])
    func whatAFailureMeans(_ number: CInt, _ standing: UpstreamHealth.Standing) {
        let dialling = Dialling(targets: [.address(first)], timeout: 30_000, health: health)
        _ = dialling.next(at: 0)
        dialling.fails(number, at: 0)
        #expect(health.standing(.address(first), at: 0) == standing)
    }

    /// Where there is another one, the first client need not wait for the whole connect timeout.
    @Test func aDialThatTakesLongIsAQuestion() throws {
        let listening = try Listener.open(.ipv4([127, 0, 0, 1], port: 0))
        defer { close(listening) }
        let address = SocketAddress.local(of: listening)
        let dialling = Dialling(targets: [.address(address), .address(second)], timeout: 30_000, health: health)
        _ = dialling.next(at: 0)
        let descriptor = try #require(Dialling.open(address, at: 0, dialling))
        defer { close(descriptor) }
        #expect(!dialling.hasTimedOut(at: 1_000) && health.questions(at: 0).isEmpty)
        #expect(!dialling.hasTimedOut(at: 1_001) && health.questions(at: 0) == [.address(address)])
        health.denied(.address(address), "connection timed out", isSilent: true)
        #expect(dialling.hasTimedOut(at: 1_002))
    }

    @Test func textOfAddresses() {
        #expect(SocketAddress.unix("/run/smtpd")?.text == "unix:/run/smtpd")
        #expect(SocketAddress.ipv6(Octets(repeating: 0, count: 15) + [1], port: 25).text == "[::1]:25")
    }
}
