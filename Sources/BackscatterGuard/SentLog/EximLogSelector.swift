// Exim's `log_selector`: names with + or -, from left to right over what Exim logs by default. What EximLogReader needs
// of it, and the setting that has it. Source: Exim specification, "Reducing or increasing what is logged"; `exim -bP` of 4.96.

/// A value of it, as it stands in a configuration or as Exim prints it.
struct EximLogSelector: Equatable, Sendable {
    /// What EximLogReader reads.
    enum Item: String, CaseIterable, Sendable {
        /// `id=`. A default; since 4.93 it can be switched off.
        case messageID = "msg_id"
        /// `P=<…>` of deliveries: the return path that `errors_to` of a router or `return_path` of a transport has made.
        case returnPath = "return_path_on_delivery"
        /// `for …` of arrivals: how many recipients there are.
        case recipients = "received_recipients"
        /// `C="250 …"` of deliveries, for `relay_ids`. A default.
        case confirmation = "smtp_confirmation"

        fileprivate var isDefault: Bool { self == .messageID || self == .confirmation }
    }

    /// What `guardd setup` adds.
    static let wanted: [Item] = [.recipients, .returnPath]

    /// `+pid`, `-all`, …
    private let words: [String]

    init(_ text: String) {
        var words: [String] = []
        for character in text {
            if character == "+" || character == "-" {
                words.append(String(character))
            } else if character.isLetter || character.isNumber || character == "_", let last = words.indices.last {
                words[last].append(character)
            }
        }
        self.words = words
    }

    var text: String { words.joined(separator: " ") }

    func has(_ item: Item) -> Bool {
        let word = words.last { $0.dropFirst() == item.rawValue || $0.dropFirst() == "all" }
        return word.map { $0.hasPrefix("+") } ?? item.isDefault
    }

    /// Whether it says by name that it does not want it.
    func forbids(_ item: Item) -> Bool { words.last { $0.dropFirst() == item.rawValue } == "-" + item.rawValue }

    func lacking(_ items: [Item]) -> [Item] { items.filter { !has($0) } }

    func adding(_ items: [Item]) -> EximLogSelector { EximLogSelector((words + items.map { "+" + $0.rawValue }).joined(separator: " ")) }
}
