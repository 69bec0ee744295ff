// The values of all metrics now: what the workers have counted, and what the document says.

extension Server {
    /// The rows of all that count; workers that have ended keep theirs.
    private var rows: [WorkerCounters] { workers.map(\.counters) + [sentLog.counters] }

    func metricSamples() -> [MetricSample] {
        let document = statusDocument()
        return countedSamples() + sentLogSamples(document) + sourceSamples(document) + clientSamples(document) + eventSamples + processSamples(document)
    }

    /// For the plot.
    var verdictTally: VerdictTally {
        let (rows, layout) = (rows, CounterLayout.shared)
        func sum(_ slots: Range<Int>) -> Int { rows.reduce(0) { sum, row in slots.reduce(sum) { $0 + row.value($1) } } }
        let reasons = Reason.allCases.count
        var tally = VerdictTally()
        for (place, verdict) in Verdict.allCases.enumerated() {
            let count = sum(layout.verdicts.start + place * reasons..<layout.verdicts.start + (place + 1) * reasons)
            switch verdict {
            case .deliver, .mark, .divert: tally.delivered += count
            case .defer: tally.deferred += count
            case .refuse: tally.refused += count
            }
        }
        tally.wouldRefuse = sum(layout.wouldRefuse.start..<layout.wouldRefuse.start + reasons)
        tally.delivered -= tally.wouldRefuse
        return tally
    }

    /// Those that occurred.
    var countedVerdicts: [StatusDocument.Verdict] {
        let (rows, family) = (rows, CounterLayout.shared.verdicts)
        return family.labels.enumerated().compactMap { place, labels in
            let count = rows.reduce(0) { $0 + $1.value(family.start + place) }
            return count == 0 ? nil : .init(verdict: labels[0], reason: labels[1], count: count)
        }
    }

    private func countedSamples() -> [MetricSample] {
        let (rows, layout) = (rows, CounterLayout.shared)
        func sum(_ slot: Int) -> Int { rows.reduce(0) { $0 + $1.value(slot) } }
        var samples = layout.families.flatMap { family in
            family.labels.enumerated().map { MetricSample(family.metric, $1, Double(sum(family.start + $0))) }
        }
        for family in layout.histograms {
            var below = 0
            let buckets = HistogramFamily.bounds.enumerated().map { place, bound in
                below += sum(family.start + place)
                return (Double(bound) / 1e6, below)
            }
            let count = below + sum(family.start + HistogramFamily.bounds.count)
            samples.append(MetricSample(family.metric, .histogram(buckets: buckets, count: count, sum: Double(sum(family.sum)) / 1e6)))
        }
        return samples
    }

    private func sentLogSamples(_ document: StatusDocument) -> [MetricSample] {
        let log = document.sentLog
        var samples = [
            MetricSample(Metrics.sentLogUp, log.isOpen ? 1 : 0),
            MetricSample(Metrics.coverageAge, log.recordedSince.map { Double(max(0, document.time - $0)) } ?? 0),
            MetricSample(Metrics.coverageWanted, Double(log.bounceWindow)),
            MetricSample(Metrics.coverageHole, log.holeSince == nil ? 0 : 1),
        ]
        for (metric, number) in [(Metrics.sentLogBytes, log.octets), (Metrics.sentLogIDs, log.ids), (Metrics.sentLogPairs, log.pairs)] {
            if let number { samples.append(MetricSample(metric, Double(number))) }
        }
        for state in ["enforced", "observed", "not_covered", "blocked"] {
            samples.append(MetricSample(Metrics.domains, [state], Double(document.domains.count { $0.state == state })))
        }
        return samples
    }

    private func sourceSamples(_ document: StatusDocument) -> [MetricSample] {
        var seen: Set<String> = []
        return document.sources.filter { seen.insert($0.name).inserted }.flatMap { source in
            var samples = [
                MetricSample(Metrics.sourceUp, [source.name], source.isAlive && source.problem == nil ? 1 : 0),
                MetricSample(Metrics.sourceBehind, [source.name], Double(source.behind)),
                MetricSample(Metrics.sourceLines, [source.name], Double(source.lines)),
                MetricSample(Metrics.sourceMails, [source.name], Double(source.mails)),
            ]
            if let lag = source.lag { samples.append(MetricSample(Metrics.sourceLag, [source.name], Double(lag))) }
            return samples
        }
    }

    private func clientSamples(_ document: StatusDocument) -> [MetricSample] {
        var seen: Set<String> = []
        let open = CounterLayout.Conversation.allCases.map { kind in
            MetricSample(Metrics.sessions, [kind.rawValue], Double(workers.reduce(0) { $0 + $1.counters.open(kind) }))
        }
        return open + [
            MetricSample(Metrics.sessionLimit, Double(configuration.maxConnections)),
            MetricSample(Metrics.heldBytes, Double(document.workers.reduce(0) { $0 + $1.heldOctets })),
            MetricSample(Metrics.holdLimit, Double(configuration.holdTotalLimit)),
        ] + document.upstreams.filter { seen.insert($0.name).inserted }.map { MetricSample(Metrics.upstreamUp, [$0.name], $0.state == "down" ? 0 : 1) }
    }

    private var eventSamples: [MetricSample] {
        guard let lost = events.lost else { return [] }
        return [MetricSample(Metrics.eventsUp, events.fault == nil ? 1 : 0), MetricSample(Metrics.eventsLost, Double(lost))]
    }

    private func processSamples(_ document: StatusDocument) -> [MetricSample] {
        let figures = ProcessFigures.now()
        var samples = [
            MetricSample(Metrics.buildInfo, [document.version], 1),
            MetricSample(Metrics.ready, document.isReady ? 1 : 0),
            MetricSample(Metrics.startTime, Double(document.started)),
            MetricSample(Metrics.processorSeconds, figures.processorTime),
        ]
        for (place, worker) in document.workers.enumerated() { samples.append(MetricSample(Metrics.loopAge, [String(place)], Double(worker.lastTurn) / 1e3)) }
        for (metric, number) in [(Metrics.residentBytes, figures.resident), (Metrics.openDescriptors, figures.openDescriptors), (Metrics.descriptorLimit, figures.descriptorLimit)] {
            if let number { samples.append(MetricSample(metric, Double(number))) }
        }
        return samples
    }
}
