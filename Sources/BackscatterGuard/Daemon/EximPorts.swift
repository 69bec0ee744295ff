// Ports on which Exim listens besides 25. Once local_interfaces names an address with its port, daemon_smtp_ports counts no
// more, so they have to be named there too, or the users' submission port is gone. Exim specification, "Starting the daemon
// and the use of network interfaces".

enum EximPorts {
    private static let names = ["smtp": 25, "submission": 587, "submissions": 465, "smtps": 465, "ssmtp": 465]

    /// The ports of `daemon_smtp_ports` without 25.
    ///
    /// - Returns: nil: not one list of numbers and of names that are known.
    static func others(_ list: String) -> [Int]? {
        let list = list.filter { $0 != "\"" && $0 != "'" }
        var items = list[...].drop { $0 == " " || $0 == "\t" }
        var separator: Character = ":"
        if items.hasPrefix("<"), let named = items.dropFirst().first {
            (separator, items) = (named, items.dropFirst(2))
        }
        var ports: [Int] = []
        for item in items.split(separator: separator) {
            let word = item.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
            guard !word.isEmpty else { continue }
            guard let port = names[word] ?? Int(word), (1...65_535).contains(port) else { return nil }
            if port != 25, !ports.contains(port) { ports.append(port) }
        }
        return ports
    }
}
