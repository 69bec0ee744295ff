// What the log and the event store get out of the configuration.

extension Configuration {
    /// Where log lines go.
    public enum LogPlace: String, Sendable, CaseIterable {
        case stderr, syslog
    }

    /// How they are written.
    public enum LogFormat: String, Sendable, CaseIterable {
        case text, json
    }

    var eventSettings: EventSettings {
        EventSettings(folder: EventFiles.folder(in: stateDirectory), size: eventsSize, retention: eventsRetention.clockMilliseconds / 1_000)
    }

    /// Keys of this topic whose new values need a start.
    func loggingKeysChanged(_ new: Configuration) -> [String] {
        var keys: [String] = []
        if new.logLevel != logLevel { keys.append("log_level") }
        if new.logTo != logTo { keys.append("log_to") }
        if new.logFormat != logFormat { keys.append("log_format") }
        if new.logRepeatLimit != logRepeatLimit { keys.append("log_repeat_limit") }
        if new.eventsSize != eventsSize { keys.append("events_size") }
        if new.eventsRetention != eventsRetention { keys.append("events_retention") }
        return keys
    }
}
