// What the script tests can't bring about on any machine: clocks, kernels, sources of a certain age.

import Foundation
import Testing
@testable import BackscatterGuard

@Suite("guardd doctor: findings") struct DoctorTests {
    private let state: StateDirectory
    private var configuration = Configuration()
    private var system = DoctorSystem()

    init() throws {
        state = try StateDirectory()
        configuration.hostname = "mail.example.org"
        configuration.stateDirectory = state.path
        configuration.listeners = [.init(address: try #require(PeerAddress("127.0.0.1", port: 1)), direction: .inbound)]
        system.proc = state.path
        system.now = noon
    }

    private func levels(_ findings: [Finding]) -> [Finding.Level] { findings.map(\.level) }

    @Test(arguments: [(SystemCalls.ClockState.synchronised, Finding.Level.ok), (.free, .warning), (.unknown, .unseen)])
    func clock(_ kernel: SystemCalls.ClockState, _ level: Finding.Level) {
        var system = system
        system.clock = { kernel }
        #expect(levels(Doctor(configuration, system).clockFindings) == [level])
    }

    @Test func clockBehindTheSentLog() throws {
        let log = try LMDBSentLog(configuration.sentLogSettings, at: noon)
        try log.keepAndWait(at: noon + 3 * 86_400)
        log.close()
        let finding = try #require(Doctor(configuration, system).logFindings.first { $0.section == .clock })
        #expect(finding.level == .error && finding.what.hasPrefix("the clock is 259200 s behind the newest time in the sent log") && finding.remedy.contains("NTP"))
    }

    @Test func clockThatStepped() throws {
        let log = try LMDBSentLog(configuration.sentLogSettings, at: noon)
        try log.keepAndWait(at: noon - 30 * 86_400)
        try log.keepAndWait(at: noon)
        log.close()
        let finding = try #require(Doctor(configuration, system).logFindings.first { $0.section == .clock })
        #expect(finding.level == .warning && finding.what.contains("stepped by more than a day"))
    }

    @Test func coverageAndBlocks() throws {
        var configuration = configuration
        configuration.policySettings.protectedDomains = [try PolicySample.pattern("a.example")]
        configuration.policySettings.mode = .auto
        let log = try LMDBSentLog(configuration.sentLogSettings, at: noon)
        try log.keepAndWait(at: noon)
        log.close()
        #expect(Doctor(configuration, system).logFindings.contains { $0.level == .warning && $0.what.contains("covered: no") && $0.remedy.contains("guardd sent cover") })
        let again = try LMDBSentLog(configuration.sentLogSettings, at: noon)
        try again.cover(since: noon - 30 * 86_400, at: noon)
        again.close()
        #expect(Doctor(configuration, system).logFindings.contains { $0.level == .ok && $0.what == "a.example: enforced, forged bounces are refused" })
        try state.write(Octets("a.example\t1\t\(noon)\t192.0.2.8\tx@a.example\n".utf8), to: "enforcement-blocks")
        #expect(Doctor(configuration, system).logFindings.contains { $0.level == .warning && $0.what.hasPrefix("a.example: stays in observe mode") && $0.remedy.hasPrefix("record what") })
    }

    @Test func limitsOfTheRunningGuardd() throws {
        var configuration = configuration
        configuration.maxConnections = 1_000
        try FileManager.default.createDirectory(atPath: state.file("net"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: state.file("9/fd"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: state.file("sys/net/core"), withIntermediateDirectories: true)
        try state.write(Octets("  sl\n   0: 0100007F:0001 00000000:0000 0A 0:0 0:0 0 33 0 100\n".utf8), to: "net/tcp")
        try state.write(Octets("guardd\n".utf8), to: "9/comm")
        try FileManager.default.createSymbolicLink(atPath: state.file("9/fd/3"), withDestinationPath: "socket:[100]")
        for (limit, somaxconn, wanted) in [("2199", "128", [Finding.Level.warning, .warning]), ("2200", "4096", [.ok, .ok]), ("unlimited", "5000", [.ok, .ok])] {
            try state.write(Octets("Limit   Soft Limit   Hard Limit   Units\nMax open files            1024                 \(limit)                files\n".utf8), to: "9/limits")
            try state.write(Octets("\(somaxconn)\n".utf8), to: "sys/net/core/somaxconn")
            let findings = Doctor(configuration, system).limitFindings
            #expect(levels(findings) == wanted, "\(findings)")
        }
        configuration.maxConnections = 0
        #expect(Doctor(configuration, system).limitFindings.first?.level == .warning)
    }

    /// A report of a source, so many seconds old; behind, and why not alive.
    private func sourceLevel(age: Int64, behind: Int64 = 0, problem: String? = nil, caughtUp: Bool = true, lines: Int = 0) throws -> Finding {
        var configuration = configuration
        let source = Configuration.Source(format: .postfix, path: "/var/log/mail.log")
        configuration.sources = [source]
        var status = SourceStatus(name: source.name, format: "postfix")
        status.problem = problem
        (status.counts.lines, status.counts.ownLines) = (lines, 0)
        status.caughtUp = caughtUp ? noon - age - behind : nil
        let written = SourceReport.Written(status: status, time: noon - age)
        try JSONEncoder().encode(written).write(to: URL(fileURLWithPath: source.reportFile(in: state.path)))
        return try #require(Doctor(configuration, system).sourceFindings.first)
    }

    @Test func sources() throws {
        #expect(try sourceLevel(age: 5).level == .ok)
        #expect(try sourceLevel(age: 61).level == .error)
        #expect(try sourceLevel(age: 5, behind: 301).what.hasSuffix("301 s behind"))
        #expect(try sourceLevel(age: 5, caughtUp: false).level == .warning)
        #expect(try sourceLevel(age: 5, lines: 99).level == .ok)
        #expect(try sourceLevel(age: 5, lines: 100).what.hasSuffix("none of its 100 lines is Postfix's"))
        let broken = try sourceLevel(age: 5, problem: "gone; put it back")
        #expect(broken.level == .error && broken.what.hasSuffix(": gone") && broken.remedy == "put it back")
    }

    @Test func noCertificateForStrangers() throws {
        var configuration = configuration
        #expect(Doctor(configuration, system).certificateFindings.isEmpty)
        configuration.listeners[0].address = try #require(PeerAddress("0.0.0.0", port: 25))
        #expect(levels(Doctor(configuration, system).certificateFindings) == [.warning])
    }

    @Test func parametersOfPostfix() {
        let parameters = PostfixParameters(["smtpd_milters = inet:127.0.0.1:1", "submission/inet/smtpd_milters = unix:x", "empty =", "smtpd_milters_other = y"])
        #expect(parameters.values("smtpd_milters") == ["inet:127.0.0.1:1", "unix:x"] && parameters.values("empty") == [""])
    }

    @Test func programsAreBounded() throws {
        let good = try ProgramRun.run(["/bin/cat"], input: Octets(repeating: 0x61, count: 1 << 20), until: ProbeDeadline(after: 30_000))
        #expect(good.isGood && good.output.count == 1 << 20)
        let late = try ProgramRun.run(["/bin/sleep", "600"], until: ProbeDeadline(after: 50))
        #expect(late.status == nil)
        #expect(try ProgramRun.run(["/bin/false"], until: ProbeDeadline(after: 30_000)).status == 1)
        #expect(throws: ProbeFailure.self) { try ProgramRun.run(["/nowhere/x"], until: ProbeDeadline(after: 1_000)) }
    }

    /// An Exim that says nothing, or too much, holds doctor up for its time only. Real ones: Tests/mta/98-exim.
    @Test(arguments: ["exec sleep 60", "while :; do echo nonsense; done", "exit 0", "echo log_selector = +all; exit 1"])
    func eximThatDoesNotTell(_ script: String) throws {
        try state.write(Octets("#!/bin/sh\n\(script)\n".utf8), to: "exim4")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: state.file("exim4"))
        var (configuration, system) = (configuration, system)
        configuration.sources = [.init(format: .exim, path: "/var/log/exim4/mainlog")]
        system.programFolders = [state.path]
        system.patience = 1_000
        #expect(levels(Doctor(configuration, system).eximFindings) == [.unseen])
        configuration.sources = [.init(format: .postfix, path: "/var/log/mail.log")]
        #expect(Doctor(configuration, system).eximFindings.isEmpty)
    }

    @Test func driversOfExim() {
        let lines = ["", "one router:", "errors_to = ", "syntax_errors_to = a@b", "two router:", "errors_to = <>", "no_expn", "three router:", "errors_to = \u{1B}[31m@b"]
        #expect(EximDrivers.setting("errors_to", of: "router", lines) == ["router three has errors_to = \(ASCII.washed("\u{1B}[31m@b".utf8))"])
        #expect(EximDrivers.setting("return_path", of: "transport", ["out transport:", "return_path_add", "return_path = " + String(repeating: "x", count: 500)])[0].count < 130)
    }
}
