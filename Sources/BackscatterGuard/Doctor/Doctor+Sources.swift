// Is each log that guardd follows alive? guardd itself says so, in a file for each, every few seconds.

extension Doctor {
    /// Seconds: a report that is older was left behind.
    private static let old: Int64 = 60
    /// Seconds behind the log after which bounces may come before their mail is known.
    private static let lag: Int64 = 300

    var sourceFindings: [Finding] {
        guard !configuration.sources.isEmpty else { return [] }
        let reports = EffectiveUser.ofOwner(of: configuration.stateDirectory) {
            configuration.sources.map { SourceReport.read($0.reportFile(in: configuration.stateDirectory)) }
        }
        return zip(configuration.sources, reports).map { finding($0, $1) } + eximFindings
    }

    private func finding(_ source: Configuration.Source, _ report: SourceReport.Written?) -> Finding {
        let name = "\(source.name) (\(source.format.rawValue))"
        guard let report else {
            if !ConfigurationSystem.mayEnter(configuration.stateDirectory) {
                return Finding(.sources, .unseen, "\(name): how it is stands in \(configuration.stateDirectory), which this user may not enter", remedy: Doctor.askRoot)
            }
            return Finding(.sources, .error, "\(name): not followed: guardd has not begun with it", remedy: mayBeRunning ? "restart guardd: a new source needs a start" : "start guardd")
        }
        let status = report.status
        if system.now - report.time > Doctor.old {
            return Finding(.sources, .error, "\(name): not followed: guardd said nothing of it since \(UTC.text(report.time))", remedy: mayBeRunning ? "restart guardd" : "start guardd")
        }
        if let problem = status.problem { return Finding(.sources, .error, line: "\(name): \(problem)") }
        guard let caughtUp = status.caughtUp else { return Finding(.sources, .warning, "\(name): is being read from its beginning", remedy: "wait; guardd sent stats tells how far it is") }
        let behind = max(0, report.time - caughtUp)
        if behind > Doctor.lag {
            return Finding(.sources, .warning, "\(name): \(behind) s behind", remedy: "look whether the disk or the log's writer is overloaded: bounces are judged by what was read until then")
        }
        let last = status.lastID.map { "last id \($0)" + (status.lastSent.map { ", sent \(UTC.text($0))" } ?? "") } ?? "no mail of ours since guardd started"
        if status.counts.ownLines == 0, status.counts.lines >= LogRecognition.many {
            return Finding(
                .sources, .warning, "\(name): alive, but none of its \(status.counts.lines) lines is \(source.format.product)'s",
                remedy: "if \(source.format.product) has sent mail since, this is not its log: look at path and format")
        }
        if status.lastID == nil, status.counts.lines > 0 {
            return Finding(
                .sources, .ok, "\(name): alive, \(status.counts.lines) lines, but \(last)",
                remedy: "if mail was sent since, it is not known as ours: see networks in docs/sources.md")
        }
        return Finding(.sources, .ok, "\(name): alive, \(last)")
    }
}
