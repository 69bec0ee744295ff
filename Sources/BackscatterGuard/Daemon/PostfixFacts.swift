// What Postfix is configured to do at present, as postconf(1) tells it.

/// The services of master.cf and some parameters of main.cf.
struct PostfixFacts: Equatable {
    /// A line of master.cf. master(5)
    struct Service: Equatable {
        /// `smtp`, `127.0.0.1:10025`, `pickup`
        var name: String
        /// `inet`, `unix`, `pass`, `fifo`
        var type: String
        var isChrooted: Bool
        var command: String
        /// The whole entry on one line, options too.
        var text: String
        var options: [String: String] = [:]

        /// As postconf(1) names it.
        var id: String { "\(name)/\(type)" }

        /// Without brackets; nil: on all of inet_interfaces.
        var host: String? {
            guard type == "inet", let colon = name.lastIndex(of: ":") else { return nil }
            let host = String(name[..<colon])
            return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        }

        /// nil for what is no TCP port, or one by a name that isn't mail's.
        var port: UInt16? {
            guard type == "inet" else { return nil }
            let text = name.split(separator: ":").last.map(String.init) ?? name
            switch text {
            case "smtp": return 25
            case "submission": return 587
            case "submissions", "smtps": return 465
            default: return UInt16(text)
            }
        }

        /// Users send their mail through it.
        var isSubmission: Bool {
            guard type == "inet", command == "smtpd" else { return false }
            if port == 587 || port == 465 { return true }
            let name = options["syslog_name"]?.split(separator: "/").last
            return ["submission", "submissions", "smtps"].contains(name)
        }
    }

    /// Those that a plan looks at.
    static let names = [
        "always_add_missing_headers", "content_filter", "maillog_file", "milter_default_action", "milter_protocol", "non_smtpd_milters", "queue_directory",
        "smtpd_milters", "smtpd_proxy_filter",
    ]

    var services: [Service] = []
    var parameters: [String: String] = [:]

    /// Debian's, where there is none to ask.
    static let standard = PostfixFacts(
        services: """
            smtp inet n - y - - smtpd
            submission inet n - y - - smtpd -o syslog_name=postfix/submission
            pickup unix n - y 60 1 pickup
            """,
        options: "submission/inet/syslog_name = postfix/submission\n", parameters: "milter_default_action = tempfail\nmilter_protocol = 6\nqueue_directory = /var/spool/postfix\n")

    /// - Parameters:
    ///   - services: what `postconf -M` prints.
    ///   - options: what `postconf -P` prints.
    ///   - parameters: what `postconf name…` prints.
    init(services: String, options: String, parameters: String) {
        for line in services.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 8 else { continue }
            let text = words.joined(separator: " ")
            self.services.append(Service(name: String(words[0]), type: String(words[1]), isChrooted: words[4] == "y", command: String(words[7]), text: text))
        }
        for line in options.split(separator: "\n") {
            guard let (key, value) = Self.pair(line), let slash = key.lastIndex(of: "/") else { continue }
            let id = String(key[..<slash])
            guard let index = self.services.firstIndex(where: { $0.id == id }) else { continue }
            self.services[index].options[String(key[key.index(after: slash)...])] = value
        }
        for line in parameters.split(separator: "\n") {
            if let (key, value) = Self.pair(line) { self.parameters[key] = value }
        }
    }

    func service(_ id: String) -> Service? { services.first { $0.id == id } }

    /// Empty where nothing is set.
    func parameter(_ name: String) -> String { parameters[name] ?? "" }

    private static func pair(_ line: Substring) -> (String, String)? {
        guard let equals = line.firstRange(of: "=") else { return nil }
        return (trimmed(line[..<equals.lowerBound]), trimmed(line[equals.upperBound...]))
    }

    private static func trimmed(_ text: Substring) -> String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let last = text.lastIndex(where: { !blank($0) }) else { return "" }
        return String(text[...last].drop(while: blank))
    }
}
