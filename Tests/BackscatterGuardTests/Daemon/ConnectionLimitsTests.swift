import Synchronization
import Testing
@testable import BackscatterGuard

@Suite("Limits of connections, in all, of one client, by time (THREATS R21)") struct ConnectionLimitsTests {
    private func settings(_ change: (inout ConnectionLimits.Settings) -> Void = { _ in }) -> ConnectionLimits.Settings {
        var settings = ConnectionLimits.Settings(total: 8, perClient: 2, stressTimeout: 10_000)
        change(&settings)
        return settings
    }

    private func address(_ text: String) -> PeerAddress { PeerAddress(text, port: 4711) ?? .unixSocket }

    private func refusal(_ result: Result<ConnectionLimits.Place, ConnectionLimits.Refusal>) -> ConnectionLimits.Refusal? {
        if case .failure(let refusal) = result { refusal } else { nil }
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1", 32, 64, true), ("192.0.2.1", "192.0.2.2", 32, 64, false), ("192.0.2.1", "192.0.2.254", 24, 64, true),
        ("192.0.2.1", "192.0.3.1", 24, 64, false), ("2001:db8::1", "2001:db8::ffff:1", 32, 64, true), ("2001:db8::1", "2001:db8:0:1::1", 32, 64, false),
        ("2001:db8::1", "2001:db8:0:1::1", 32, 48, true), ("2001:db8::1", "2001:db8::2", 32, 128, false), ("::ffff:192.0.2.1", "192.0.2.1", 32, 64, true),
        ("192.0.2.1", "198.51.100.1", 0, 64, true),
    ])
    func whoIsOneClient(_ one: String, _ two: String, _ ipv4: Int, _ ipv6: Int, isOne: Bool) throws {
        let limits = ConnectionLimits()
        let settings = settings { ($0.perClient, $0.prefixIPv4, $0.prefixIPv6) = (1, ipv4, ipv6) }
        _ = try limits.admit(address(one), settings, at: 0).get()
        #expect(refusal(limits.admit(address(two), settings, at: 0)) == (isOne ? .perClient : nil))
    }

    @Test func aPlaceIsGivenBack() throws {
        let limits = ConnectionLimits()
        let settings = settings { $0.perClient = 1 }
        for _ in 0..<20 { limits.release(try limits.admit(address("192.0.2.1"), settings, at: 0).get(), settings) }
    }

    @Test func total() throws {
        let limits = ConnectionLimits()
        let settings = settings()
        for number in 1...8 { _ = try limits.admit(address("192.0.2.\(number)"), settings, at: 0).get() }
        #expect(refusal(limits.admit(address("192.0.2.9"), settings, at: 0)) == .total)
    }

    @Test func listedClientsHaveAReserveAndNoLimitOfTheirOwn() throws {
        let limits = ConnectionLimits()
        let settings = settings()
        for number in 1...8 { _ = try limits.admit(address("192.0.2.\(number)"), settings, at: 0).get() }
        for _ in 0..<ConnectionLimits.reserve { _ = try limits.admit(address("127.0.0.1"), isListed: true, settings, at: 0).get() }
        #expect(refusal(limits.admit(address("127.0.0.1"), isListed: true, settings, at: 0)) == .total)
    }

    @Test func zeroIsNoLimit() throws {
        let limits = ConnectionLimits()
        let settings = settings { ($0.total, $0.perClient) = (0, 0) }
        for _ in 0..<1_000 { _ = try limits.admit(address("192.0.2.1"), settings, at: 0).get() }
        #expect(!limits.isStressed)
    }

    @Test func rate() throws {
        let limits = ConnectionLimits()
        let settings = settings { $0.rate = 3 }
        func comes(_ from: String, at now: Int64) -> ConnectionLimits.Refusal? {
            let result = limits.admit(address(from), settings, at: now)
            if case .success(let place) = result { limits.release(place, settings) }
            return refusal(result)
        }
        for _ in 0..<3 { #expect(comes("192.0.2.1", at: 1_000_000) == nil) }
        #expect(comes("192.0.2.1", at: 1_059_000) == .rate)
        #expect(comes("192.0.2.2", at: 1_059_000) == nil)
        #expect(comes("192.0.2.1", at: 1_060_000) == nil)
    }

    @Test func stressBeginsAndEndsOnce() throws {
        let told = Told()
        let limits = ConnectionLimits { isStressed, total in told.add("\(isStressed) \(total)") }
        let settings = settings { ($0.perClient) = 0 }
        var places: [ConnectionLimits.Place] = []
        for _ in 0..<8 { places.append(try limits.admit(address("192.0.2.1"), settings, at: 0).get()) }
        #expect(limits.isStressed)
        for _ in 0..<3 { limits.release(places.removeLast(), settings) }
        #expect(limits.isStressed, "it ends when half are free, or it would begin and end all the time")
        limits.release(places.removeLast(), settings)
        #expect(!limits.isStressed)
        #expect(told.all == ["true 7", "false 4"])
    }
}

/// Texts from any thread.
final class Told: Sendable {
    private let texts = Mutex<[String]>([])
    func add(_ text: String) { texts.withLock { $0.append(text) } }
    var all: [String] { texts.withLock { $0 } }
}
