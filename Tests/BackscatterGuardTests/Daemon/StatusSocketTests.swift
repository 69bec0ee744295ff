import Foundation
import Testing
@testable import BackscatterGuard

@Suite("Status socket: where it stands, who may ask there") struct StatusSocketTests {
    @Test(arguments: [
        ("localhost:9725", true), ("LOCALHOST", true), ("127.0.0.1", true), ("127.0.0.1:9725", true), ("127.9.9.9:1", true), ("[::1]:9725", true), ("[::1]", true),
        ("evil.example", false), ("localhost.evil.example:9725", false), ("127.0.0.1.evil.example", false), ("[2001:db8::1]:9725", false), ("192.0.2.1", false), ("", false), (":", false),
    ])
    func names(_ host: String, _ isOwn: Bool) { #expect(StatusSocket.isOwnName(host) == isOwn) }

    @Test func noNameIsNoBrowser() { #expect(StatusSocket.isOwnName(nil)) }

    @Test(arguments: [("/run/guardd", "/run/guardd/status"), ("/run/a:/run/b", "/run/a/status"), ("", nil), ("run/a", nil), (nil, nil)])
    func runtimeDirectory(_ variable: String?, _ path: String?) { #expect(Configuration.runtimeStatusSocket(variable) == path) }

    @Test func placesOfAConfiguration() {
        var configuration = Configuration()
        #expect(configuration.statusPath == Configuration.standardStatusSocket)
        configuration.stateDirectory = "/srv/guardd"
        #expect(configuration.statusPath == "/srv/guardd/status")
        #expect(configuration.statusPlace?.place.path == "/srv/guardd/status" && configuration.statusPlace?.isWritten == false)
        configuration.stateDirectory = "/" + String(repeating: "x", count: 93)
        #expect(configuration.statusPlace == nil)
        configuration.statusSocket = .none
        #expect(configuration.statusPath == nil && configuration.statusPlace == nil)
        configuration.statusSocket = .path("/x")
        #expect(configuration.statusPath == "/x" && configuration.statusPlace?.isWritten == true)
    }

    @Test func documentGoesThroughJSON() throws {
        var document = StatusDocument()
        document.sentLog.recordedSince = 5
        document.upstreams = [.init(name: "192.0.2.1:25", state: "down", reason: "\"<script>\u{1}é")]
        let json = document.json
        #expect(StatusDocument(json: json) == document)
        #expect(String(decoding: json, as: UTF8.self).contains("\"recorded_since\":5"))
        #expect(StatusDocument(json: Array("{}".utf8)) == nil)
        document.schema = 2
        #expect(StatusDocument(json: document.json) == nil)
    }

    @Test func whoseItIs() throws {
        var document = StatusDocument()
        (document.process, document.configuration) = (12, "/etc/guardd/first.toml")
        document.listeners = [.init(address: "192.0.2.1:25", direction: "inbound", kind: "smtp")]
        var wanted = Configuration()
        wanted.listeners = [.init(address: try #require(PeerAddress("192.0.2.1", port: 587)))]
        wanted.file = "/etc/guardd/second.toml"
        #expect(!document.isOf(wanted))
        #expect(document.owner == "process 12, of /etc/guardd/first.toml, which listens on 192.0.2.1:25")
        // The same file, whatever it says by now; or the same door, by another name of the file.
        wanted.file = "/etc/guardd/first.toml"
        #expect(document.isOf(wanted))
        wanted.file = "/etc/guardd/renamed.toml"
        wanted.listeners.append(.init(address: try #require(PeerAddress("192.0.2.1", port: 25))))
        #expect(document.isOf(wanted))
        // An older guardd says no file, one with flags alone has none.
        document.configuration = nil
        wanted.file = nil
        wanted.listeners.removeLast()
        #expect(!document.isOf(wanted))
    }

    @Test func figuresOfTheProcess() throws {
        #expect(ProcessFigures.resident("Name:\tguardd\nVmHWM:\t   99 kB\nVmRSS:\t   36012 kB\n") == 36_012 * 1_024)
        #expect(ProcessFigures.resident("Name:\tguardd\n") == nil)
        let figures = ProcessFigures.now()
        #expect(try #require(figures.resident) > 1 << 20 && #require(figures.openDescriptors) > 2 && figures.processorTime > 0)
    }

    @Test func nobodyListens() {
        do throws(StatusClientError) {
            _ = try StatusClient(path: "/nowhere/s").get("/status.json")
            Issue.record("somebody answers")
        } catch {
            #expect(error == .notRunning(path: "/nowhere/s", reason: "connect: No such file or directory"))
        }
    }
}
