// The key of a sent log and what it hashes: whoever has the log without the key learns no address and no id.
// Each kind of thing is hashed under an octet of its own, so that an id never equals, say, an address.

import COpenSSL
import Synchronization

/// A secret of 32 octets and the hashes made with it. One OpenSSL context, shared under a lock: 0.4 µs a hash.
final class SentKey: Sendable {
    /// What is hashed. The values stand in every log: never change them.
    enum Kind: UInt8, Sendable {
        case id = 0x69, idBeginning = 0x62, queueID = 0x71, pair = 0x70, address = 0x61, domain = 0x64, fingerprint = 0x6B, bound = 0x6F
    }

    static let size = 32

    let secret: Octets
    private let context: Mutex<MACContext>

    /// - Parameter secret: 32 octets, else nil.
    init?(_ secret: Octets) {
        guard secret.count == SentKey.size, let made = MACContext.make(secret) else { return nil }
        self.secret = secret
        context = Mutex(made)
    }

    /// A new secret from the system's random numbers; nil when it gives none.
    static func random() -> SentKey? {
        var secret = Octets(repeating: 0, count: size)
        guard unsafe RAND_bytes(&secret, CInt(size)) == 1 else { return nil }
        return SentKey(secret)
    }

    /// Stored in the log, to tell whether a key is its own.
    var fingerprint: Octets { hash(.fingerprint, []).octets }

    func hash(_ kind: Kind, _ octets: Octets) -> Hash128 {
        context.withLock { $0.hash(kind.rawValue, octets) }
    }

    func hash(id: MessageID) -> Hash128 { hash(.id, id.key) }

    /// The name of what counts only for one address (SentEntry.isBound), in a log that keeps it apart.
    func bound(_ name: Hash128) -> Hash128 { hash(.bound, name.octets) }

    /// The name under which it is found by the one address that it counts for, however many others the same id is bound to:
    /// a list sends one id under an address for each subscriber.
    func bound(_ name: Hash128, to address: Octets) -> Hash128 {
        var octets = name.octets
        octets.appendInteger(SenderHashes.address(address, key: self))
        return hash(.bound, octets)
    }

    /// Case-blind: an MTA may return `Ann@Example.org` to `ann@example.org`. A blank can't stand in either unquoted.
    func hash(pairFrom reversePath: Octets, to forwardPath: Octets) -> Hash128 {
        hash(.pair, ASCII.lowercased(reversePath) + [ASCII.nul] + ASCII.lowercased(forwardPath))
    }
}

/// Owner of one EVP_MAC context, keyed once.
@safe private struct MACContext: ~Copyable {
    private let pointer: OpaquePointer

    private init(_ made: OpaquePointer) { unsafe pointer = made }

    static func make(_ secret: Octets) -> MACContext? {
        guard let algorithm = unsafe EVP_MAC_fetch(nil, "HMAC", nil) else { return nil }
        defer { unsafe EVP_MAC_free(algorithm) }
        guard let made = unsafe EVP_MAC_CTX_new(algorithm) else { return nil }
        let context = unsafe MACContext(made)
        var digest = Array("SHA256".utf8CString)
        let outcome = unsafe digest.withUnsafeMutableBufferPointer { name in
            let parameters = unsafe [
                OSSL_PARAM_construct_utf8_string("digest", name.baseAddress, 0), OSSL_PARAM_construct_end(),
            ]
            return unsafe EVP_MAC_init(made, secret, secret.count, parameters)
        }
        guard outcome == 1 else { return nil }
        return context
    }

    deinit { unsafe EVP_MAC_CTX_free(pointer) }

    mutating func hash(_ kind: UInt8, _ octets: Octets) -> Hash128 {
        var tag = kind
        var digest = Octets(repeating: 0, count: SentKey.size)
        var count = 0
        let isMade = unsafe EVP_MAC_init(pointer, nil, 0, nil) == 1
            && EVP_MAC_update(pointer, &tag, 1) == 1
            && EVP_MAC_update(pointer, octets, octets.count) == 1
            && EVP_MAC_final(pointer, &digest, &count, digest.count) == 1
        precondition(isMade, "HMAC-SHA256 of a keyed context failed")
        return Hash128(digest.span)
    }
}
