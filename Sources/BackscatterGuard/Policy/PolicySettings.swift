// What the administrator decided, as values that are already checked. Configuration fills it, `Policy` is built from it;
// nothing here reads a file, so the same settings always make the same policy.

/// The settings behind a `Policy`.
public struct PolicySettings: Sendable, Equatable {
    /// Whether verdicts are carried out.
    public enum Mode: String, Sendable, CaseIterable {
        /// They are as soon as the sent log covers the bounce window, unless a bounce shows that mail leaves unrecorded.
        case auto
        /// They are.
        case enforce
        /// Notifications are judged and counted, but never refused or deferred by their verdict.
        case observe
    }

    /// What a known id's record is compared with.
    public enum Binding: String, Sendable, CaseIterable {
        /// The domain it was sent from with the recipient's: equal, or parent and child.
        case domain
        /// The whole address it was sent from with the recipient, whose tags and part behind the delimiter count nothing.
        case address
    }

    /// The settings of one domain. What is nil or missing comes from the next wider pattern, at last from the global ones.
    public struct Domain: Sendable, Equatable {
        public var mode: Mode?
        public var bind: Binding?
        public var actions: [Reason: Verdict] = [:]

        public init(mode: Mode? = nil, bind: Binding? = nil, actions: [Reason: Verdict] = [:]) {
            self.mode = mode
            self.bind = bind
            self.actions = actions
        }
    }

    /// Domains whose notifications are judged, besides those of a file.
    public var protectedDomains: [DomainPattern] = []
    public var mode = Mode.auto
    public var bind = Binding.domain
    /// Where they differ from `Reason.standardAction`.
    public var actions: [Reason: Verdict] = [:]
    public var domains: [DomainPattern: Domain] = [:]
    /// By address in lower case, `local-part@domain`.
    public var addresses: [Octets: [Reason: Verdict]] = [:]
    /// Reverse-paths that mark a notification, besides `<>` and qmail's `<#@[]>`.
    public var bounceSenders = [AddressPattern(Octets("MAILER-DAEMON@*".utf8))].compactMap(\.self)
    /// Beginnings of a local part that the upstream made and checks itself. Any case.
    public var tags = PolicySettings.standardTags.map { Octets($0.utf8) }
    /// Octets that end the part of a local part that names the mailbox. Empty: none does.
    public var recipientDelimiters: Octets = [0x2B]

    /// SRS (both forms, three separators), BATV (`prvs=`), Backscatter Tag (`btv1==`), and Message Systems' BATV.
    public static let standardTags = ["SRS0=", "SRS0+", "SRS0-", "SRS1=", "SRS1+", "SRS1-", "prvs=", "btv1==", "msprvs1="]

    public init() {}
}
