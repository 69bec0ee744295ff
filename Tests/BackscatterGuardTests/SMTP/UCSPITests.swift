import Testing
@testable import BackscatterGuard

@Suite("UCSPI-TCP: what a program learns of its client") struct UCSPITests {
    @Test func namesWhatIsKnown() throws {
        let client = try #require(PeerAddress("192.0.2.7", port: 4711))
        let server = try #require(PeerAddress("192.0.2.25", port: 25))
        let lines = ["PROTO=TCP", "TCPLOCALHOST=mx.example.org", "TCPLOCALIP=192.0.2.25", "TCPLOCALPORT=25", "TCPREMOTEIP=192.0.2.7", "TCPREMOTEPORT=4711"]
        #expect(UCSPI.environment(client: client, server: server, hostname: "mx.example.org", relays: false) == lines)
        #expect(UCSPI.environment(client: client, server: server, hostname: "mx.example.org", relays: true) == lines + ["RELAYCLIENT="])
    }

    @Test func addressesAreWrittenPlainly() throws {
        let client = try #require(PeerAddress("::ffff:192.0.2.7", port: 1))
        let server = try #require(PeerAddress("2001:db8::25", port: 25))
        let lines = UCSPI.environment(client: client, server: server, hostname: "mx", relays: false)
        #expect(lines.contains("TCPREMOTEIP=192.0.2.7") && lines.contains("TCPLOCALIP=2001:db8::25"))
    }

    @Test func whatIsUnknownIsNotThere() {
        #expect(UCSPI.environment(client: .unixSocket, server: .unixSocket, hostname: "mx", relays: false) == ["PROTO=TCP", "TCPLOCALHOST=mx"])
    }

    @Test(arguments: ["PROTO", "RELAYCLIENT", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCP6REMOTEIP"]) func namesOfItsOwn(_ name: String) {
        #expect(UCSPI.isOwn(name))
    }

    @Test(arguments: ["DATABYTES", "QMAILQUEUE", "PATH", "proto"]) func otherNames(_ name: String) { #expect(!UCSPI.isOwn(name)) }
}
