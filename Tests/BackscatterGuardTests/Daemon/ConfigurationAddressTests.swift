import Testing
@testable import BackscatterGuard

@Suite("Configuration: addresses, and the upstream that is guardd itself") struct ConfigurationAddressTests {
    @Test(arguments: [
        ("0.0.0.0:25", "0.0.0.0:25"), ("[::]:25", "[::]:25"), ("[2001:DB8::1]:587", "[2001:db8::1]:587"),
        ("::1:25", nil), ("[192.0.2.1]:25", nil), ("192.0.2.1", nil), ("192.0.2.1:0", nil), ("192.0.2.1:65536", nil), ("192.0.2.1:+25", nil),
        ("192.0.2.1:", nil), ("localhost:25", nil), (":25", nil), ("[::1]25", nil), ("[::1:25", nil), ("", nil),
    ] as [(String, String?)])
    func socket(_ text: String, _ expected: String?) {
        #expect(ConfigurationAddress.socket(text)?.description == expected)
    }

    @Test(arguments: [
        ("127.0.0.1:25", "127.0.0.1:25"), ("MX.example.org:25", "mx.example.org:25"), ("localhost:25", "localhost:25"),
        ("unix:/run/smtp", "unix:/run/smtp"), ("unix:run", nil), ("unix:", nil), ("a..b:25", nil), ("-a:25", nil), ("mx.example.org", nil),
        ("192.0.2.999:25", nil), ("a b:25", nil), (".example.org:25", nil), ("[mx]:25", nil),
    ] as [(String, String?)])
    func upstream(_ text: String, _ expected: String?) {
        #expect(ConfigurationAddress.upstream(text)?.text == expected)
    }

    @Test func pathOfASocketIsBounded() {
        #expect(ConfigurationAddress.upstream("unix:/" + String(repeating: "a", count: 106)) != nil)
        #expect(ConfigurationAddress.upstream("unix:/" + String(repeating: "a", count: 107)) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1:25", "127.0.0.1:25", true), ("127.0.0.1:25", "127.0.0.1:26", false), ("127.0.0.1:25", "127.0.0.2:25", false),
        ("0.0.0.0:25", "127.0.0.2:25", true), ("0.0.0.0:25", "192.0.2.10:25", true), ("0.0.0.0:25", "192.0.2.11:25", false),
        ("[::]:25", "[::1]:25", true), ("[::]:25", "127.0.0.1:25", false), ("[::]:25", "[2001:db8::10]:25", true),
        ("127.0.0.1:25", "0.0.0.0:25", true), ("192.0.2.10:25", "0.0.0.0:25", false), ("0.0.0.0:25", "0.0.0.0:25", true),
    ])
    func ownListener(_ listener: String, _ address: String, _ expected: Bool) throws {
        var configuration = Configuration()
        configuration.listeners = [.init(address: try #require(ConfigurationAddress.socket(listener)))]
        let own = ["192.0.2.10", "2001:db8::10"].compactMap { PeerAddress($0) }
        #expect(configuration.isOwnListener(try #require(ConfigurationAddress.socket(address)), own: own) == expected)
    }

    @Test func interfacesHaveLoopback() {
        #expect(Configuration.interfaceAddresses().contains { $0.isLoopback })
    }
}

@Suite("Configuration: durations, sizes and near keys") struct ConfigurationUnitsTests {
    @Test(arguments: [
        (.text("10d"), 864_000_000), (.text("4h"), 14_400_000), (.text("5m"), 300_000), (.text("300s"), 300_000), (.text("500ms"), 500),
        (.text("5 m"), 300_000), (.integer(7), 7_000), (.integer(-1), nil), (.integer(.max), nil), (.text("9223372036854775807d"), nil),
        (.text("99999999999999999999s"), nil), (.text("5"), nil), (.text("s"), nil), (.text("1.5h"), nil), (.text("-5s"), nil),
        (.text("5S"), nil), (.text(""), nil), (.other("bool"), nil),
    ] as [(ConfigurationValue, Int?)])
    func duration(_ value: ConfigurationValue, _ milliseconds: Int?) {
        #expect(ConfigurationUnits.duration(value)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        (.text("256KiB"), 262_144), (.text("64MiB"), 67_108_864), (.text("1GiB"), 1_073_741_824), (.text("12B"), 12), (.integer(0), 0),
        (.text("256KB"), nil), (.text("256k"), nil), (.integer(-1), nil), (.text("99999999999GiB"), nil), (.array([]), nil),
    ] as [(ConfigurationValue, Int?)])
    func size(_ value: ConfigurationValue, _ octets: Int?) {
        #expect(ConfigurationUnits.size(value) == octets)
    }

    @Test(arguments: [(864_000, "10d"), (300, "300s"), (600, "600s"), (3_600, "1h"), (5_400, "90m"), (0, "0s"), (86_401, "86401s")])
    func printedDurationIsReadBack(_ seconds: Int, _ expected: String) {
        let text = ConfigurationUnits.text(.seconds(seconds))
        #expect(text == expected)
        #expect(ConfigurationUnits.duration(.text(text)) == .seconds(seconds))
    }

    @Test func printedSizes() {
        #expect([0, 12, 1_024, 1_536, 1 << 20, 3 << 30].map { ConfigurationUnits.text(size: $0) } == ["0", "12B", "1KiB", "1536B", "1MiB", "3GiB"])
        #expect(ConfigurationUnits.text(.milliseconds(500)) == "500ms")
    }

    @Test(arguments: [("upstrem", "upstream"), ("worker", "workers"), ("work", nil), ("direction", nil), ("hld_limit", "hold_limit"), ("", nil)] as [(String, String?)])
    func nearestKey(_ word: String, _ expected: String?) {
        #expect(NearestWord.find(word, in: ["upstream", "workers", "hold_limit"]) == expected)
    }

    @Test func distances() {
        #expect(NearestWord.distance(Octets("kitten"), Octets("sitting")) == 3)
        #expect(NearestWord.distance([], Octets("abc")) == 3 && NearestWord.distance(Octets("abc"), []) == 3)
    }

    @Test func valuesAreShownBounded() {
        #expect(ConfigurationValue.text("a\"\\\u{1b}").shown == "\"a\\\"\\\\ \"")
        #expect(ConfigurationValue.text(String(repeating: "a", count: 100)).shown.count == 65)
    }
}
