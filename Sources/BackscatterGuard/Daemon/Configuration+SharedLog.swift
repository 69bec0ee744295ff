// The log that several machines share: its options, and what is made of them.

extension Configuration {
    /// nil: this machine has a log of its own.
    public var sharedLog: SharedLogAddress? { sharedLogOptions.address }

    /// Values of the `sent_log…` options.
    struct SharedLogOptions: Sendable {
        var address: SharedLogAddress?
        var passwordFile: String?
        var prefix = "guardd"
        var timeout = Duration.milliseconds(500)
        var daily = 10_000_000
    }

    /// What this machine needs for the shared log; nil without one.
    ///
    /// - Throws: when the password's file can't be read or holds none.
    public func sharedLogSettings() throws(ConfigurationError) -> SharedLogSettings? {
        guard let address = sharedLogOptions.address else { return nil }
        var settings = SharedLogSettings(address: address, local: sentLogSettings)
        settings.prefix = Octets(sharedLogOptions.prefix.utf8)
        settings.timeout = sharedLogOptions.timeout.clockMilliseconds
        settings.daily = sharedLogOptions.daily
        settings.name = Octets(hostname.utf8)
        settings.password = try sharedLogPassword()
        return settings
    }

    private func sharedLogPassword() throws(ConfigurationError) -> Octets {
        guard let path = sharedLogOptions.passwordFile.map(path) else { return [] }
        switch ConfigurationSystem.contents(of: path) {
        case .failure(let error):
            throw ConfigurationError([.init(file: file, keyPath: "sent_log_password_file", problem: "\(path) can't be read: \(error)")])
        case .success(let octets):
            let password = octets.prefix { $0 != ASCII.lf && $0 != ASCII.cr }
            guard !password.isEmpty else {
                throw ConfigurationError([.init(file: file, keyPath: "sent_log_password_file", problem: "\(path) is empty; write the password of Redis into its first line")])
            }
            return Octets(password)
        }
    }

    func checkSharedLog(_ add: (String?, String) -> Void) {
        let options = sharedLogOptions
        if options.address == nil {
            if options.passwordFile != nil { add("sent_log_password_file", "of no use without sent_log; write sent_log = \"redis://host:6379/0\", or remove it") }
            return
        }
        if options.address?.user != nil, options.passwordFile == nil {
            add("sent_log_password_file", "missing; a user in sent_log needs a password: write it into a file and name that here")
        }
        do { _ = try sharedLogPassword() } catch { for fault in error.faults { add(fault.keyPath, fault.problem) } }
    }
}

extension Options {
    static let sharedLog = OptionGroup<Configuration>(
        title: "A sent log that several machines share",
        prose: "In Redis 6 or later (docs/redis.md). The key, state_dir/sent.key, must be the same on all of them.",
        options: [
            ConfigurationOption(
                key: "sent_log", type: "text", range: SharedLogAddress.form, standard: "\"\"", sample: "\"redis://192.0.2.10:6379/0\"",
                prose: "The Redis server of the log; empty: this machine has a log of its own. TLS is not spoken: use a network of your own.",
                read: { value, target throws(WrongValue) in
                    guard case .text(let text) = value else { throw WrongValue(problem: "\(value.shown) won't do; write \(SharedLogAddress.form)") }
                    target.sharedLogOptions.address = text.isEmpty ? nil : try SharedLogAddress(text)
                }),
            .text(
                "sent_log_password_file", standard: "\"\"", sample: "", expected: "the path of a file",
                "A file whose first line is the password of Redis. Relative to the folder of this file."
            ) { text, target in
                target.sharedLogOptions.passwordFile = text.isEmpty ? nil : text
                return true
            },
            .text(
                "sent_log_prefix", standard: TOMLText.text(fresh.sharedLogOptions.prefix), sample: fresh.sharedLogOptions.prefix,
                expected: "1 to 32 letters, digits, hyphens or dots",
                "What the keys in Redis begin with. Sites that share a server need different ones."
            ) { text, target in
                let isPlain = text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.hyphen || $0 == ASCII.dot }
                guard isPlain, (1...32).contains(text.utf8.count) else { return false }
                target.sharedLogOptions.prefix = text
                return true
            },
            .duration(
                "sent_log_timeout", \.sharedLogOptions.timeout, of: fresh, in: .milliseconds(50)...(.seconds(30)),
                "How long a lookup may take. After that the bounce is deferred (451, reason log_silent), for 4 hours at most; then bounces pass."),
            .integer(
                "sent_log_daily", \.sharedLogOptions.daily, of: fresh, in: 1_000...300_000_000,
                "Mails a day that the machines send together, roughly. Decides how a day is laid out when the log is begun, and so what it costs."),
        ]
    )
}
