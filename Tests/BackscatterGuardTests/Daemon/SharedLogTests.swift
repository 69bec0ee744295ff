import Testing
@testable import BackscatterGuard

@Suite("sent_log: where a shared log is") struct SharedLogTests {
    @Test(arguments: [
        ("redis://192.0.2.10:6380/3", "192.0.2.10:6380", nil, 3), ("redis://192.0.2.10", "192.0.2.10:6379", nil, 0),
        ("redis://guardd@redis.example.org/", "redis.example.org:6379", "guardd", 0), ("redis://[2001:db8::1]:7000", "[2001:db8::1]:7000", nil, 0),
        ("redis+unix:///run/redis/redis.sock", "unix:/run/redis/redis.sock", nil, 0), ("redis+unix:///run/r.sock?db=2", "unix:/run/r.sock", nil, 2),
    ])
    func addresses(text: String, place: String, user: String?, database: Int) throws {
        let address = try SharedLogAddress(text)
        #expect(address.place.text == place && address.user == user && address.database == database && address.text == text)
    }

    @Test(arguments: ["redis", "redis://", "redis://:6379", "rediss://h", "redis://u:p@h", "redis://:p@h", "redis://h:99999", "redis+unix://path", "http://h", "redis://h/x"])
    func wrongOnes(text: String) {
        #expect(throws: WrongValue.self) { try SharedLogAddress(text) }
    }

    @Test func silenceDefersForFourHoursThenDelivers() {
        let clock = SilenceClock()
        #expect(!clock.spoke())
        #expect(clock.fell(at: 1_000) == (.silent, true))
        #expect(clock.fell(at: 1_000 + SilenceClock.limit - 1) == (.silent, false))
        #expect(clock.fell(at: 1_000 + SilenceClock.limit) == (.silentForLong, false))
        #expect(clock.spoke())
        #expect(clock.fell(at: 99_000_000) == (.silent, true), "it counts from the last word")
    }

    @Test func identityIsKept() throws {
        let directory = try StateDirectory()
        var identity = try SenderIdentity.load(directory.file("sender"))
        #expect(identity.number.count == 16 && identity.epoch.isEmpty && !identity.hasStarted)
        identity.epoch = "abc"
        identity.hasStarted = true
        try identity.save(directory.file("sender"))
        #expect(try SenderIdentity.load(directory.file("sender")) == identity)
    }
}
