// The table of options, second part: which notifications are judged, and what is done about each reason.

extension Options {
    static let judgement = OptionGroup<Configuration>(
        title: "What is judged",
        prose: "A notification (a bounce, or what looks like one: its sender is <>) is judged when a recipient is in a protected domain.",
        options: [
            .list(
                "protected_domains", \.policySettings.protectedDomains, standard: [], sample: ["example.org", ".example.org"],
                expected: "a domain, as \"example.org\", or \".example.org\" for those below it; a name beyond ASCII as its A-label (xn--...)",
                """
                Domains whose notifications are judged. ".example.org" stands for all names below it, not for itself. \
                A recipient whose domain can't be read beyond doubt (no domain, an address literal, a route) counts as protected.
                """
            ) { DomainPattern(Octets($0.utf8)) },
            .text(
                "protected_domains_file", standard: nil, sample: "/var/qmail/control/rcpthosts", expected: "the path of a file",
                """
                A file with more of them, one a line, # for comments, as qmail's control/rcpthosts. Read again on SIGHUP. \
                A relative path begins at the folder of this file.
                """
            ) { text, target in
                target.protectedDomainsFile = text
                return !text.isEmpty
            }.standard("none", sample: "\"/var/qmail/control/rcpthosts\""),
            .choice(
                "mode", \.policySettings.mode, of: fresh,
                """
                "auto": verdicts are carried out as soon as the sent log covers the bounce_window; until then, and for a domain whose \
                bounces show that a host of yours sends mail unrecorded, as "observe". "enforce": verdicts are carried out. \
                "observe": notifications are judged, logged and counted, but never refused or deferred.
                """),
            .list(
                "bounce_senders", \.policySettings.bounceSenders, standard: ["MAILER-DAEMON@*"], sample: ["MAILER-DAEMON@*"],
                expected: "an address with * for any run of characters, as \"MAILER-DAEMON@*\"",
                "Senders that make a message a notification as <> does. Any case. <> and qmail's <#@[]> always do."
            ) { AddressPattern(Octets($0.utf8)) },
            .list(
                "tags", \.policySettings.tags, standard: PolicySettings.standardTags, sample: PolicySettings.standardTags,
                expected: "the beginning of a local part, as \"SRS0=\"",
                "Recipients that begin so (any case) are not judged, because the mail server checks its own tag (reason \"tagged\")."
            ) { tag($0) },
            delimiter,
            .choice(
                "bind", \.policySettings.bind, of: fresh,
                """
                What a known Message-ID must fit. "domain": the domain it was sent from is the recipient's, its parent or its child. \
                "address": the whole address is, less tags and what follows the recipient delimiter. What doesn't fit is "other_domain".
                """
            ),
            .text(
                "refusal_url", standard: nil, sample: "https://example.org/backscatter",
                expected: "an http or https address of at most 200 printable ASCII characters",
                "Put behind the text of a 550, for a page that explains it."
            ) { text, target in
                target.refusalURL = text
                let isPrintable = text.utf8.allSatisfy { $0 > ASCII.space && $0 < ASCII.del }
                return isPrintable && text.utf8.count <= 200 && (text.hasPrefix("https://") || text.hasPrefix("http://"))
            }.standard("none", sample: "\"https://example.org/backscatter\""),
        ]
    )

    private static let delimiter = ConfigurationOption<Configuration>.text(
        "recipient_delimiter", standard: "\"+\"", sample: "+", expected: "the characters that end a mailbox name, as \"+\" or \"+-\", or \"\"",
        "What the mail server takes as the end of the mailbox name: ann+news@ is ann@. Each character is one. As Postfix's option of that name."
    ) { text, target in
        target.policySettings.recipientDelimiters = Octets(text.utf8)
        return text.utf8.allSatisfy { $0 > ASCII.space && $0 < ASCII.del && $0 != ASCII.at }
    }

    private static func tag(_ text: String) -> Octets? {
        guard !text.isEmpty, text.utf8.count <= 64, text.utf8.allSatisfy({ $0 > ASCII.space && $0 < ASCII.del && $0 != ASCII.at })
        else { return nil }
        return Octets(text.utf8)
    }

    /// `[domain."example.org"]` without its actions.
    static let domain: [ConfigurationOption<PolicySettings.Domain>] = [
        .word("mode", standard: nil, "As the global mode, for this domain.") { word, target in target.mode = word }
            .standard("the global mode", sample: "\"observe\""),
        .word("bind", standard: nil, "As the global bind, for this domain.") { word, target in target.bind = word }
            .standard("the global bind", sample: "\"address\""),
    ]

    /// `[actions]`: a key for each reason.
    static let actions: [ConfigurationOption<[Reason: Verdict]>] = Reason.allCases.map { reason in
        let words = reason.allowedActions.map { TOMLText.text($0.rawValue) }.joined(separator: ", ")
        let standard = TOMLText.text(reason.standardAction.rawValue)
        return .init(key: reason.rawValue, type: "text", range: words, standard: standard, sample: standard, prose: reason.prose) { value, target throws(WrongValue) in
            guard case .text(let text) = value, let verdict = Verdict(rawValue: text) else {
                throw WrongValue(problem: "\(value.shown) won't do; write one of \(words)")
            }
            if verdict == .divert {
                throw WrongValue(problem: "\"divert\" isn't available yet, there is no review mailbox; write one of \(words)")
            }
            guard reason.allowedActions.contains(verdict) else {
                throw WrongValue(problem: "\(value.shown) won't do: a fault of the own sent log is never answered for good; write one of \(words)")
            }
            target[reason] = verdict
        }
    }
}

extension Reason {
    /// A fault of guardd's own may delay mail, but never turn it away (THREATS.md section 4).
    fileprivate var allowedActions: [Verdict] {
        switch self {
        case .logFailed, .logSilent: [.deliver, .mark, .defer]
        default: [.deliver, .mark, .defer, .refuse]
        }
    }

    fileprivate var prose: String {
        switch self {
        case .sent: "The original's Message-ID is in the sent log and was sent from the recipient's domain."
        case .otherDomain: "The Message-ID is in the sent log but was sent from another domain: a masquerading rule, an alias, or a stolen id."
        case .replayed: "The Message-ID is known but came back more often than 3 times its recipients + 10. Raises an alarm."
        case .pair: "No Message-ID is known, but the recipient is known to have written to an address that the bounce reports as failed."
        case .neverSent: "Message-IDs, none of them known, and the sent log is complete for the whole bounce_window: backscatter."
        case .notCovered: "The same, but the sent log is younger than bounce_window or has a hole in it."
        case .undecided: "The bounce carries no Message-ID and no known pair. It is delivered whatever stands here if its outer header refers to a known id."
        case .unreadable: "The same, and its structure is broken or larger than any limit."
        case .tagged: "The recipient begins with one of the tags."
        case .notABounce: "A read receipt, an automatic reply, a feedback report, a calendar notice, anything else from <>."
        case .logFailed: "The own sent log can't be read. Raises an alarm."
        case .logSilent: "The shared sent log does not answer. For at most 4 hours; then it counts as log_failed."
        }
    }
}
