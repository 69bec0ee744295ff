// The table of options, fifth part: a program as the upstream.

extension Options {
    static let program = OptionGroup<Configuration>(
        title: "A program as the upstream",
        prose: "For upstream = { exec = [\"/var/qmail/bin/qmail-smtpd\"] }: docs/positions.md.",
        options: [
            upstreamEnvironment,
            .integer(
                "max_processes", \.maxProcesses, of: fresh, in: 0...100_000,
                """
                Programs that run at a time, tcpserver's -c; a client that would need one more is answered 421. One is started when a \
                client says EHLO or HELO. 0: no limit.
                """),
            .duration(
                "process_end_timeout", \.processEndTimeout, of: fresh, in: .milliseconds(100)...(.seconds(3_600)),
                "How long a program may go on after its session has ended, before it is sent SIGTERM; as long again, and SIGKILL. At most 2 seconds while guardd stops."),
        ]
    )

    private static let upstreamEnvironment = ConfigurationOption<Configuration>(
        key: "upstream_environment", type: "table of texts", standard: "{}", sample: "{ DATABYTES = \"10000000\" }",
        prose: """
            More of the program's environment, as qmail's DATABYTES or QMAILQUEUE. Besides it the program gets PROTO, TCPLOCALHOST \
            (hostname), TCPLOCALIP, TCPLOCALPORT, TCPREMOTEIP, TCPREMOTEPORT, and RELAYCLIENT for clients in outgoing_networks; of \
            guardd's own environment nothing, not even PATH.
            """
    ) { value, target throws(WrongValue) in
        guard case .table(let table) = value else {
            throw WrongValue(problem: "\(value.shown) won't do; write a table, as { DATABYTES = \"10000000\" }")
        }
        for (name, value) in table.sorted(by: { $0.key < $1.key }) {
            let place = ConfigurationReader.path("", name)
            guard isVariableName(name) else {
                throw WrongValue(place: ".\(place)", problem: "no name of an environment variable; write letters, digits and _")
            }
            if UCSPI.isOwn(name) {
                throw WrongValue(place: ".\(place)", problem: "is guardd's own to set, for each client; remove it (RELAYCLIENT: write outgoing_networks)")
            }
            guard case .text(let text) = value, !text.utf8.contains(ASCII.nul) else {
                throw WrongValue(place: ".\(place)", problem: "\(value.shown) won't do; write a text in double quotes, as \"10000000\"")
            }
        }
        target.upstreamEnvironment = table.compactMapValues { if case .text(let text) = $0 { text } else { nil } }
    }

    /// The command of `{ exec = [...] }`: a program and its arguments.
    ///
    /// - Parameter table: what stands in place of an address.
    static func command(_ table: [String: ConfigurationValue]) throws(WrongValue) -> [String] {
        let example = "{ exec = [\"/var/qmail/bin/qmail-smtpd\"] }"
        if let other = table.keys.sorted().first(where: { $0 != "exec" }) {
            throw WrongValue(place: ".\(other)", problem: "unknown key; there is exec only, as \(example)")
        }
        guard case .array(let values)? = table["exec"], !values.isEmpty else {
            throw WrongValue(place: ".exec", problem: "a program and its arguments are a list of texts; write \(example), or an address, as \"127.0.0.1:10025\"")
        }
        var words: [String] = []
        for (index, value) in values.enumerated() {
            guard case .text(let word) = value, !word.utf8.contains(ASCII.nul) else {
                throw WrongValue(place: ".exec[\(index)]", problem: "\(value.shown) won't do; write a text in double quotes")
            }
            words.append(word)
        }
        guard words[0].hasPrefix("/") else {
            throw WrongValue(place: ".exec[0]", problem: "\(values[0].shown) won't do; write the absolute path of the program, its arguments as further texts: there is no shell")
        }
        return words
    }

    /// POSIX's, section 8.1 of the base definitions, and small letters.
    private static func isVariableName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !ASCII.isDigit(first) else { return false }
        return name.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == 0x5F }
    }
}
