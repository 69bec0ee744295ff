// An option: its key, what may stand there, what stands there otherwise, and what it is for. Reader, commented file and
// reference page are all made from these values, so none of them can say something else than the others.

/// A key of the configuration file that sets something in a `Target`: the configuration, a listener, a domain.
struct ConfigurationOption<Target>: Sendable {
    let key: String
    /// "duration", "list of texts".
    let type: String
    /// The values that are allowed, in words; empty when the type says it all.
    var range = ""
    /// What holds without it: as TOML, or in words for what the machine tells; nil when it has to be written.
    var standard: String?
    /// A value as it may be written, in TOML.
    let sample: String
    let prose: String
    /// Checks a value and puts it into the target.
    let read: @Sendable (ConfigurationValue, inout Target) throws(WrongValue) -> Void

    /// The same with a default in words, because it isn't the same on every machine, and a sample.
    func standard(_ words: String, sample: String) -> Self {
        Self(key: key, type: type, range: range, standard: words, sample: sample, prose: prose, read: read)
    }

    /// The same with a range in words.
    func range(_ words: String) -> Self {
        var copy = self
        copy.range = words
        return copy
    }
}

/// A value that an option can't take: what to write instead, and where in the value it is.
struct WrongValue: Error, Equatable {
    /// `[2]` for the third of a list, `.sent` for a key of a table; empty for the value itself.
    var place = ""
    /// One line. Names what was found and what may stand there.
    let problem: String
}

/// A part of the configuration file, with a headline in the generated ones.
struct OptionGroup<Target>: Sendable {
    let title: String
    let prose: String
    let options: [ConfigurationOption<Target>]
}
