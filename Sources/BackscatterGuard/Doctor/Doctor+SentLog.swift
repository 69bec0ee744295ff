// The sent log: does it open, how old is its coverage, for which domains are forged bounces refused, and if machines share
// one, does Redis answer and is it set up to keep what it is given?

import Glibc

extension Doctor {
    var logFindings: [Finding] {
        EffectiveUser.ofOwner(of: configuration.stateDirectory) { sharedFindings + openedFindings }
    }

    private var sharedFindings: [Finding] {
        let settings: SharedLogSettings?
        do throws(ConfigurationError) { settings = try configuration.sharedLogSettings() } catch {
            return error.lines.map { Finding(.sentLog, .error, line: $0) }
        }
        guard let settings else { return [] }
        let warnings = settings.warnings()
        guard !warnings.isEmpty else { return [Finding(.sentLog, .ok, "\(settings.address.text) answers, throws nothing away and keeps an append-only file")] }
        return warnings.map { line in
            // A restart of Redis is survived in part; the rest loses mail's records now.
            let level: Finding.Level = line.contains("append-only") ? .warning : .error
            var finding = Finding(.sentLog, level, line: line)
            if finding.remedy.isEmpty { finding.remedy = "start Redis, or mend sent_log: bounces are deferred meanwhile, and outgoing mail is spooled here" }
            return finding
        }
    }

    private var openedFindings: [Finding] {
        do throws(SentLogError) {
            let desk = try configuration.openDesk(at: system.now)
            defer { desk.close() }
            var findings = [Finding(.sentLog, .ok, "\(configuration.logName): opens")]
            if let log = desk as? LMDBSentLog { findings += clockFindings(of: try log.statistics(at: system.now)) }
            return try findings + coverageFindings(desk)
        } catch {
            return [unopened(error)]
        }
    }

    private func unopened(_ error: SentLogError) -> Finding {
        if case .cannotOpen(_, let reason) = error, reason == systemReason(EACCES), geteuid() != 0 {
            return Finding(.sentLog, .unseen, "\(configuration.logName): may not be opened by this user", remedy: Doctor.askRoot)
        }
        if case .noLog = error {
            return Finding(.sentLog, mayBeRunning ? .error : .warning, "\(configuration.stateDirectory): there is no sent log yet", remedy: "start guardd: it begins one")
        }
        return Finding(.sentLog, .error, error.text.replacing("; ", with: ", "), remedy: "until then every bounce is delivered and outgoing mail may be put off")
    }

    private func coverageFindings(_ desk: any SentLogDesk) throws(SentLogError) -> [Finding] {
        let isCovered = desk.answer(Inquiry(), at: system.now).isCovered
        let text = try desk.coverageText(at: system.now).joined(separator: ", ")
        var findings = [Finding(
            .sentLog, isCovered ? .ok : .warning, text,
            remedy: isCovered ? "" : "wait, or fill in the past (guardd import --covers), or say that all is recorded: guardd sent cover --since")]
        guard let policy = try? configuration.makePolicy() else { return findings }
        let blocks = EnforcementBlocks(stateDirectory: configuration.stateDirectory)
        let report = StatusReport(policy, isCovered: isCovered, blocks: blocks)
        let held = blocks.all
        for pattern in policy.protectedPatterns.sorted() where isCovered && policy.mode(ofPattern: pattern) == .auto {
            guard let block = held[pattern] else { continue }
            findings.append(Finding(.sentLog, .warning, "\(pattern): \(block.text)", remedy: "record what that host sends, or write mode = \"enforce\" if it is not so"))
        }
        if report.isEnforced { findings.append(Finding(.sentLog, .ok, report.lines.joined(separator: ", "))) }
        return findings
    }

    /// Seconds that a clock may be behind the newest record: recorders on a loaded machine, not a step.
    private static let slack: Int64 = 3_600

    private func clockFindings(of statistics: SentStatistics) -> [Finding] {
        if let newest = statistics.newest, newest - system.now > Doctor.slack {
            return [Finding(
                .clock, .error, "the clock is \(newest - system.now) s behind the newest time in the sent log, \(UTC.text(newest))",
                remedy: "set the clock right, and keep it so by NTP (chrony or systemd-timesyncd)")]
        }
        if let until = statistics.expirySuspendedUntil {
            return [Finding(.clock, .warning, "the clock has stepped by more than a day: nothing expires before \(UTC.text(until))", remedy: "look whether the clock is right now; then nothing has to be done")]
        }
        return [Finding(.clock, .ok, "it agrees with the sent log")]
    }
}

extension Configuration {
    /// The log as an administrator's command opens it.
    func openDesk(at now: Int64) throws(SentLogError) -> any SentLogDesk {
        let shared: SharedLogSettings?
        do throws(ConfigurationError) { shared = try sharedLogSettings() } catch { throw .settings(error.lines.joined(separator: "; ")) }
        if let shared { return try RedisDesk(shared, begins: false) }
        var settings = sentLogSettings
        (settings.setsTimes, settings.beginsLog) = (false, false)
        return try LMDBSentLog(settings, at: now)
    }

    /// For people.
    var logName: String { sharedLog?.text ?? sentLogSettings.logFile }
}
