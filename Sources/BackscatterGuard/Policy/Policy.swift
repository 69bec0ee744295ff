// What the administrator wants done with notifications. A pure value: settings and a list of domains in, answers out; it
// reads no file, no clock and no log. A SIGHUP makes a new one, and a transaction keeps the one it began with.
//
// Policy.swift says how a sender and a recipient are treated; Policy+Judge.swift what a notification is worth.

/// Protected domains, actions and exemptions, ready to be asked.
public struct Policy: Sendable {
    /// Values: the pattern as the configuration writes it.
    private let protected: DomainMap<String>
    private let domains: DomainMap<PolicySettings.Domain>
    private let addresses: [Octets: [Reason: Verdict]]
    private let bounceSenders: [AddressPattern]
    private let tags: [Octets]
    private let delimiters: Octets
    private let mode: PolicySettings.Mode
    private let bind: PolicySettings.Binding
    private let actions: Actions
    /// What keeps domains from being enforced in mode `auto`. It changes while the policy stays.
    public let blocks: EnforcementBlocks

    /// - Parameter moreDomains: what the file of protected domains holds.
    public init(_ settings: PolicySettings, moreDomains: [DomainPattern] = [], blocks: EnforcementBlocks = EnforcementBlocks()) {
        self.blocks = blocks
        var protected = DomainMap<String>()
        for pattern in settings.protectedDomains + moreDomains { protected[pattern] = pattern.description }
        self.protected = protected
        var domains = DomainMap<PolicySettings.Domain>()
        for (pattern, domain) in settings.domains { domains[pattern] = domain }
        self.domains = domains
        addresses = settings.addresses
        bounceSenders = settings.bounceSenders
        tags = settings.tags.map { ASCII.lowercased($0) }
        delimiters = settings.recipientDelimiters
        mode = settings.mode
        bind = settings.bind
        actions = Actions.standard.overridden(by: settings.actions)
    }

    public var protectsAnything: Bool { !protected.isEmpty }

    /// The names that are protected by themselves, in their order.
    public var protectedNames: [Octets] { protected.names.sorted { $0.lexicographicallyPrecedes($1) } }

    /// - Parameter domain: in lower case, without a trailing dot.
    public func protects(_ domain: Octets) -> Bool { protected.covers(domain) }

    /// Whether `pattern` and a protected one have names in common.
    public func mayProtect(_ pattern: DomainPattern) -> Bool {
        guard pattern.isSuffix else { return protected.covers(pattern.domain) }
        // `*` stands for any name below: no domain holds it, so only suffixes cover it.
        return protected.covers(Octets("*.".utf8) + pattern.domain) || protected.hasName(below: pattern.domain)
    }

    /// Whether a message from here is a notification: `<>`, qmail's `<#@[]>`, or a sender of `bounce_senders`.
    ///
    /// - Complexity: O(patterns × length) for other than `<>`.
    public func isNotification(_ reversePath: ReversePath) -> Bool {
        if reversePath.isNull || ASCII.equal(reversePath.octets, "#@[]") { return true }
        let address = reversePath.unquoted
        return bounceSenders.contains { $0.matches(address) }
    }

    /// What notifications to this recipient are due.
    ///
    /// A recipient whose domain can't be read plainly counts as protected, under the global settings: an unusual spelling
    /// must not be a way around. With no domain protected at all there is nothing to go around, and it isn't judged.
    public func treatment(of recipient: ForwardPath) -> Treatment {
        guard isProtected(recipient), !ASCII.equal(recipient.localPart, "postmaster") else { return .notJudged() }
        let narrower = recipient.hasPlainDomain ? domains.values(covering: recipient.domain) : []
        let intended = self.intended(for: recipient, narrower)
        let mode = narrower.lazy.compactMap(\.mode).first ?? self.mode
        let binding = narrower.lazy.compactMap(\.bind).first ?? bind
        let isHeldBack = mode == .auto && !blocks.isEmpty && blocks.hold(protectedPatterns(of: recipient))
        let effective = mode == .observe || isHeldBack ? intended.observed : intended
        if isTagged(recipient) {
            guard effective[.tagged] != .deliver else { return .notJudged(.tagged) }
            return Treatment(isJudged: true, settled: .tagged, effective: effective, intended: intended, awaitsCoverage: mode == .auto, binding: binding, scope: nil)
        }
        let scope = Treatment.dependsOnOrigin(effective) ? self.scope(of: recipient, binding) : nil
        return Treatment(isJudged: true, settled: nil, effective: effective, intended: intended, awaitsCoverage: mode == .auto, binding: binding, scope: scope)
    }

    /// Whether the recipient begins with a tag that the upstream checks by itself.
    public func isTagged(_ recipient: ForwardPath) -> Bool {
        tagLength(of: ASCII.lowercased(recipient.localPart)) != nil
    }

    /// The patterns of `protected_domains` that cover the recipient; all of them for one that can't be read plainly.
    public func protectedPatterns(of recipient: ForwardPath) -> [String] {
        recipient.hasPlainDomain ? protected.values(covering: recipient.domain) : protected.values
    }

    /// All of `protected_domains`, with those of the file.
    public var protectedPatterns: [String] { protected.values }

    /// Those of them whose mode is `auto`.
    public var automaticPatterns: [String] { protected.values.filter { mode(ofPattern: $0) == .auto } }

    /// The mode of one of `protectedPatterns`.
    public func mode(ofPattern text: String) -> PolicySettings.Mode {
        // A suffix is asked about by a name below it that no domain has.
        let name = text.hasPrefix(".") ? "*" + text : text
        return domains.values(covering: Octets(name.utf8)).lazy.compactMap(\.mode).first ?? mode
    }

    /// Whether bounces of mail with this reverse-path come to a protected domain.
    public func protects(_ reversePath: ReversePath) -> Bool {
        ForwardPath(reversePath.octets).map(isProtected) ?? protectsAnything
    }

    private func isProtected(_ recipient: ForwardPath) -> Bool {
        recipient.hasPlainDomain ? protected.covers(recipient.domain) : protectsAnything
    }

    /// The global actions, changed by the domain's patterns from the widest to the narrowest, then by the address.
    private func intended(for recipient: ForwardPath, _ narrower: [PolicySettings.Domain]) -> Actions {
        var result = narrower.reversed().reduce(actions) { $0.overridden(by: $1.actions) }
        guard recipient.hasPlainDomain, !addresses.isEmpty else { return result }
        if let changes = spellings(of: recipient).lazy.compactMap({ addresses[$0] }).first { result = result.overridden(by: changes) }
        return result
    }

    private func scope(of recipient: ForwardPath, _ binding: PolicySettings.Binding) -> Octets {
        guard recipient.hasPlainDomain else { return recipient.octets }
        return binding == .domain ? recipient.domain : spellings(of: recipient).last ?? recipient.octets
    }

    // MARK: Addresses

    /// An address as it is compared: in lower case, `local-part@domain`, the local part unquoted.
    static func key(of address: ForwardPath) -> Octets {
        ASCII.lowercased(address.localPart) + [ASCII.at] + address.domain
    }

    /// The addresses that name the recipient's mailbox, the fullest first: as it came, without what follows the delimiter,
    /// without a tag, without both.
    func spellings(of recipient: ForwardPath) -> [Octets] {
        let whole = ASCII.lowercased(recipient.localPart)
        var names = [whole]
        func add(_ name: Octets) { if !name.isEmpty, !names.contains(name) { names.append(name) } }
        add(withoutDetail(whole))
        if let length = tagLength(of: whole) {
            let untagged = Self.withoutTag(whole, length)
            add(untagged)
            add(withoutDetail(untagged))
        }
        return names.map { $0 + [ASCII.at] + recipient.domain }
    }

    private func tagLength(of localPart: Octets) -> Int? {
        tags.first { localPart.starts(with: $0) }?.count
    }

    /// What a tag stands before: `prvs=0123abcdef=ann` is `ann`, `btv1==x==ann` too. Its value ends at the last `=`.
    private static func withoutTag(_ localPart: Octets, _ length: Int) -> Octets {
        let rest = localPart[length...]
        return Octets(rest.lastIndex(of: ASCII.equals).map { rest[($0 + 1)...] } ?? rest)
    }

    /// Up to the first delimiter. One at the very beginning ends nothing, as in Postfix.
    private func withoutDetail(_ localPart: Octets) -> Octets {
        guard let end = localPart.dropFirst().firstIndex(where: delimiters.contains) else { return localPart }
        return Octets(localPart[..<end])
    }
}
