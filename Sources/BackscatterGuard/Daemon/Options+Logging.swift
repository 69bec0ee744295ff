// The table of options: what is logged and where, and what is kept for `guardd events`. docs/logging.md.

extension Options {
    static let logging = OptionGroup<Configuration>(
        title: "Log and events",
        prose: "What the lines and the keys mean: docs/logging.md.",
        options: [
            .choice("log_level", \.logLevel, of: fresh, "What is logged. \"info\" has a line for every transaction."),
            .choice(
                "log_to", \.logTo, of: fresh,
                """
                "stderr": standard error; where that is systemd's journal, each line has its priority. "syslog": /dev/log, facility mail; \
                while it is not there, standard error.
                """),
            .choice("log_format", \.logFormat, of: fresh, "\"text\": lines as Postfix has them. \"json\": an object a line, with the same words as keys."),
            .integer(
                "log_repeat_limit", \.logRepeatLimit, of: fresh, in: 0...1_000_000,
                """
                Lines of one kind within a minute that are written one by one: refusals with the same reason and recipient, and what a client's \
                fault causes. Further ones are counted and told in one line. What was delivered always has its line. 0: all have.
                """),
            .size(
                "events_size", \.eventsSize, of: fresh, in: 0...(1 << 40),
                """
                For all files of events together (state_dir/events): each judged notification with its addresses and Message-ID, for guardd events. \
                The oldest go first. 0: none are kept.
                """),
            .duration("events_retention", \.eventsRetention, of: fresh, in: .seconds(0)...(.seconds(3_650 * 86_400)), "How long an event is kept. 0s: not at all."),
        ]
    )
}
