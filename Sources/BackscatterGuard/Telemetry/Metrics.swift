// The table of metrics: all there are, in the order of /metrics and of docs/metrics.md, which is generated from it.

/// Every metric of guardd.
public enum Metrics {
    // MARK: Verdicts

    static let verdicts = Metric(
        "guardd_verdicts_total", .counter, labels: ["verdict", "reason"], values: "the verdicts and reasons of docs/policy.md",
        "Notifications judged, by verdict and reason.")
    static let wouldRefuse = Metric(
        "guardd_would_refuse_total", .counter, labels: ["reason"], values: "the reasons",
        "Notifications that were let pass, but would have been refused without mode observe, or with a complete sent log.")
    static let notifications = Metric(
        "guardd_notifications_total", .counter, labels: ["kind"], values: "bounce, mdn, auto-reply, feedback-report, other", "Notifications judged, by what they are.")
    static let transactions = Metric(
        "guardd_transactions_total", .counter, labels: ["outcome"],
        values: "judged; relay: other incoming mail; send: outgoing mail; cut: broke off in its content; envelope: no content came", "Mail transactions that have ended.")

    // MARK: Sent log

    static let mailsRecorded = Metric(
        "guardd_mails_recorded_total", .counter, labels: ["result"], values: "durable, failed", "Outgoing mails that were to be recorded, from wherever: listeners, sources, hooks, milter.")
    static let idsRecorded = Metric("guardd_ids_recorded_total", .counter, "Message-IDs put into the sent log.")
    static let idsLookedUp = Metric("guardd_ids_looked_up_total", .counter, "Message-IDs of notifications that the sent log was asked for.")
    static let idsKnown = Metric("guardd_ids_known_total", .counter, "Message-IDs among them that were in the sent log: the hit ratio is this by guardd_ids_looked_up_total.")
    static let lookups = Metric(
        "guardd_lookups_total", .counter, labels: ["result"], values: "known; pair; unknown; failed: the own log can't be read; silent: the shared log gave no answer in time",
        "Questions to the sent log, one a notification and look.")
    static let lookupSeconds = Metric("guardd_lookup_duration_seconds", .histogram, unit: "seconds", "Time from a question to the sent log to its answer.")
    static let recordSeconds = Metric("guardd_record_duration_seconds", .histogram, unit: "seconds", "Time until a record was durable in the sent log, or known not to be.")
    static let sentLogUp = Metric("guardd_sent_log_up", .gauge, "1: the sent log did what it was asked last; 0: it failed, or is silent.")
    static let sentLogBytes = Metric("guardd_sent_log_size_bytes", .gauge, unit: "bytes", "Size of the sent log's file; not of a shared log.")
    static let sentLogIDs = Metric("guardd_sent_log_ids", .gauge, "Message-IDs in the sent log; not of a shared log.")
    static let sentLogPairs = Metric("guardd_sent_log_pairs", .gauge, "Pairs of addresses in the sent log; not of a shared log.")
    static let coverageAge = Metric("guardd_coverage_age_seconds", .gauge, unit: "seconds", "For how long, without a hole, all outgoing mail is recorded; 0: it isn't.")
    static let coverageWanted = Metric("guardd_bounce_window_seconds", .gauge, unit: "seconds", "How old coverage must be before an unknown id is refused (bounce_window).")
    static let coverageHole = Metric("guardd_coverage_hole", .gauge, "1: mail is leaving unrecorded now.")
    static let domains = Metric(
        "guardd_domains", .gauge, labels: ["state"], values: "enforced, observed, not_covered: the sent log is not complete yet, blocked: own mail left unrecorded", "Protected domains, by what is done for them.")
    static let sourceUp = Metric("guardd_source_up", .gauge, labels: ["source"], values: "as the configuration names it", "1: the source can be read and records.")
    static let sourceLag = Metric("guardd_source_lag_seconds", .gauge, unit: "seconds", labels: ["source"], values: "as above", "Time since all that the source held was recorded; not before it has caught up for the first time.")
    static let sourceBehind = Metric("guardd_source_behind_bytes", .gauge, unit: "bytes", labels: ["source"], values: "as above", "What the source holds and was not read yet.")
    static let sourceLines = Metric("guardd_source_lines_total", .counter, labels: ["source"], values: "as above", "Lines read.")
    static let sourceMails = Metric("guardd_source_mails_total", .counter, labels: ["source"], values: "as above", "Own mails found in them.")

    // MARK: Clients

    static let sessionsOpened = Metric("guardd_sessions_total", .counter, labels: ["protocol"], values: "smtp, milter", "Sessions that were begun.")
    static let sessions = Metric("guardd_sessions", .gauge, labels: ["protocol"], values: "smtp, milter", "Sessions that are open.")
    static let sessionLimit = Metric("guardd_sessions_limit", .gauge, "How many may be (max_connections); 0: no limit.")
    static let clientsRefused = Metric(
        "guardd_clients_refused_total", .counter, labels: ["reason"],
        values: "total, per_client, rate: max_connections, max_connections_per_client, client_connection_rate_limit; proxy_header: none came, or a bad one; milter_client: not in milter_clients; stopping",
        "Connections that got no session.")
    static let networkBytes = Metric(
        "guardd_network_bytes_total", .counter, unit: "bytes", labels: ["peer", "direction"], values: "client, upstream, mta: the mail server at a milter listener; received, sent",
        "Octets of SMTP and of the milter protocol, without those of TLS itself.")
    static let tlsSessions = Metric("guardd_tls_sessions_total", .counter, labels: ["version"], values: "TLSv1.2, TLSv1.3, other", "Client connections that went on in TLS.")
    static let heldBytes = Metric("guardd_held_bytes", .gauge, unit: "bytes", "Content of notifications in memory until their verdict.")
    static let holdLimit = Metric("guardd_held_limit_bytes", .gauge, unit: "bytes", "How much may be (hold_total_limit).")
    static let holdSeconds = Metric("guardd_hold_duration_seconds", .histogram, unit: "seconds", "Time that content of a notification was held, from its first octet to its verdict.")

    // MARK: Upstream and faults

    static let upstreamUp = Metric("guardd_upstream_up", .gauge, labels: ["upstream"], values: "as the configuration writes it", "1: it is there, as far as is known; 0: it is down.")
    static let errors = Metric(
        "guardd_errors_total", .counter, labels: ["kind"],
        values: """
            identity_refused, unlisted_client, upstream_garbled, upstream_unavailable, upstream_timeout, upstream_tls, client_timeout, client_tls, \
            unrecorded, milter_malformed, milter_version, milter_order, milter_timeout, milter_undecided
            """,
        "What went wrong in sessions, by sort: each is a line of the log.")

    // MARK: Events

    static let eventsUp = Metric("guardd_events_up", .gauge, "1: judged notifications are kept in state_dir/events; 0: the disk does not take them; not there with events_size = 0.")
    static let eventsLost = Metric("guardd_events_lost_total", .counter, "Events that are not in state_dir/events: the disk did not take them in time.")

    // MARK: The process

    static let buildInfo = Metric("guardd_build_info", .gauge, labels: ["version"], values: "of guardd", "Always 1.")
    static let ready = Metric("guardd_ready", .gauge, "1: /readyz says ready.")
    static let loopAge = Metric("guardd_worker_loop_age_seconds", .gauge, unit: "seconds", labels: ["worker"], values: "0, 1, …", "Time since a worker's event loop has turned last; it does so every second.")
    static let startTime = Metric("process_start_time_seconds", .gauge, unit: "seconds", "When the process began, in seconds since 1970.")
    static let processorSeconds = Metric("process_cpu_seconds_total", .counter, unit: "seconds", "Processor time that the process has used.")
    static let residentBytes = Metric("process_resident_memory_bytes", .gauge, unit: "bytes", "Memory of the process that is in RAM.")
    static let openDescriptors = Metric("process_open_fds", .gauge, "Open descriptors.")
    static let descriptorLimit = Metric("process_max_fds", .gauge, "How many may be open.")

    public static let all: [Metric] = [
        verdicts, wouldRefuse, notifications, transactions,
        mailsRecorded, idsRecorded, idsLookedUp, idsKnown, lookups, lookupSeconds, recordSeconds, sentLogUp, sentLogBytes, sentLogIDs, sentLogPairs,
        coverageAge, coverageWanted, coverageHole, domains, sourceUp, sourceLag, sourceBehind, sourceLines, sourceMails,
        sessionsOpened, sessions, sessionLimit, clientsRefused, networkBytes, tlsSessions, heldBytes, holdLimit, holdSeconds,
        upstreamUp, errors, eventsUp, eventsLost,
        buildInfo, ready, loopAge, startTime, processorSeconds, residentBytes, openDescriptors, descriptorLimit,
    ]
}
