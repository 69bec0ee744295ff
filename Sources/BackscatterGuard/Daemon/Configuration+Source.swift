// Where the sent log is filled from besides guardd's own listeners: logs of mail servers.

extension Configuration {
    /// A `[[source]]`.
    public struct Source: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable { case log }

        public var format: MTALogFormat
        /// Of the log file; empty: the journal.
        public var path: String
        /// Of journalctl; nil: where it is used to lie.
        public var journalctl: String?
        /// Clients whose mail begins here, besides `outgoingNetworks`.
        public var networks: [Network] = []
        /// Reverse-paths that a later hop turns into ones of protected domains.
        public var senderDomains: [DomainPattern] = []
        /// Relays whose 250 tells the id that they give the mail.
        public var relayIDs: [String] = []

        public init(format: MTALogFormat, path: String) {
            self.format = format
            self.path = path
        }

        /// For people.
        var name: String { isJournal ? "journal" : path }

        var isJournal: Bool { path.isEmpty }

        /// Where its position is kept: a name for each path.
        func positionFile(in directory: String) -> String { "\(directory)/source-\(word).position" }

        /// Where guardd tells `guardd sent stats` how it is.
        func reportFile(in directory: String) -> String { "\(directory)/source-\(word).status" }

        private var word: String {
            isJournal ? "journal-\(format.rawValue)" : String(LogPosition.hash(Octets(path.utf8)), radix: 16)
        }
    }

    mutating func applySources(_ value: ConfigurationValue?, with reader: inout ConfigurationReader) {
        guard let value else { return }
        guard case .array(let elements) = value else {
            return reader.fault("source", "\(value.shown) won't do; write [[source]], in double brackets, and the keys below it")
        }
        for (index, element) in elements.enumerated() {
            let path = "source[\(index)]"
            guard case .table(let table) = element else {
                reader.fault(path, "\(element.shown) won't do; write [[source]] and below it format = \"postfix\" and path = \"/var/log/mail.log\"")
                continue
            }
            var draft = SourceDraft()
            reader.read(table, at: path, with: Options.source, into: &draft)
            if table["format"] == nil { reader.fault("\(path).format", "missing; write \"postfix\", \"exim\" or \"sendmail\"") }
            let isJournal = draft.isJournal
            if isJournal, table["path"] != nil {
                reader.fault("\(path).path", "stands beside journal = true; remove one of them")
            } else if !isJournal, table["path"] == nil {
                reader.fault("\(path).path", "missing; write the path of the log, as \"/var/log/mail.log\", or journal = true")
            }
            guard let format = draft.format, let file = isJournal ? "" : draft.path else { continue }
            var source = Source(format: format, path: file)
            (source.networks, source.senderDomains, source.relayIDs) = (draft.networks, draft.senderDomains, draft.relayIDs)
            source.journalctl = draft.journalctl
            if isJournal, sources.contains(where: { $0.isJournal && $0.format == format }) {
                reader.fault("\(path).journal", "the journal is followed for \(format.rawValue) twice; remove one")
            } else if !isJournal, sources.contains(where: { $0.path == file }) {
                reader.fault("\(path).path", "\(file) stands twice; remove one")
            }
            sources.append(source)
        }
    }

    /// With the path as it is opened.
    func located(_ source: Source) -> Source {
        var located = source
        if !source.isJournal { located.path = path(source.path) }
        return located
    }
}
