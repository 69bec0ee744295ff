// Keys of session tickets (RFC 5077, RFC 8446 §4.6.1), shared by all workers and kept over a reload of certificates. One
// seals new tickets; the one before it still opens old ones, which then are replaced. They never leave memory.

import COpenSSL
import Synchronization

/// Seals and opens session tickets.
public final class TLSTicketKeys: Sendable {
    /// A key seals for so many seconds and opens for as many more (Postfix: smtpd_tls_session_cache_timeout).
    public static let lifetime: Int64 = 3600

    struct Key: Sendable {
        let name: Octets
        let seal: Octets
        let authentication: Octets

        init() {
            let random = TLSTicketKeys.random(80)
            (name, seal, authentication) = (Octets(random[..<16]), Octets(random[16..<48]), Octets(random[48...]))
        }
    }

    private struct Keys {
        var current = Key()
        var previous: Key?
        var began: Int64
    }
    private let keys: Mutex<Keys>

    /// - Parameter now: seconds of any clock that goes on evenly; the same for `rotate`.
    public init(at now: Int64) { keys = Mutex(Keys(began: now)) }

    /// To be called now and then; makes a new key when it is time.
    public func rotate(at now: Int64) {
        keys.withLock { keys in
            let age = now - keys.began
            guard age >= TLSTicketKeys.lifetime else { return }
            keys.previous = age < 2 * TLSTicketKeys.lifetime ? keys.current : nil
            keys.current = Key()
            keys.began = now
        }
    }

    var current: Key { keys.withLock { $0.current } }

    /// The key of that name, and whether a fresh ticket should take the place of one that it opens.
    func find(_ name: Octets) -> (key: Key, isOld: Bool)? {
        keys.withLock { keys in
            if keys.current.name == name { return (keys.current, false) }
            guard let previous = keys.previous, previous.name == name else { return nil }
            return (previous, true)
        }
    }

    private static func random(_ count: Int) -> Octets {
        var octets = Octets(repeating: 0, count: count)
        guard unsafe RAND_bytes(&octets, CInt(count)) == 1 else { preconditionFailure("no random numbers") }
        return octets
    }
}

/// OpenSSL's question for a ticket key. Top-level: recovers, forwards, decides nothing.
///
/// - Returns: -1 fault, 0 unknown key (a full handshake follows), 1 good, 2 good and to be replaced.
func tlsTicketKey(
    _ ssl: OpaquePointer?, _ name: UnsafeMutablePointer<UInt8>?, _ iv: UnsafeMutablePointer<UInt8>?, _ cipher: OpaquePointer?,
    _ mac: OpaquePointer?, _ isSealing: CInt
) -> CInt {
    guard let ssl = unsafe ssl, let name = unsafe name, let iv = unsafe iv,
          let context = unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0)
    else { return -1 }
    let keys = unsafe Unmanaged<TLSTicketKeys>.fromOpaque(context).takeUnretainedValue()
    if isSealing == 1 {
        let key = keys.current
        guard unsafe RAND_bytes(iv, 16) == 1 else { return -1 }
        for index in 0..<16 { unsafe name[index] = key.name[index] }
        guard unsafe EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.seal, iv) == 1 else { return -1 }
        return unsafe guardd_set_ticket_mac(mac, key.authentication, key.authentication.count) == 1 ? 1 : -1
    }
    guard let (key, isOld) = keys.find(unsafe Octets(UnsafeBufferPointer(start: name, count: 16))) else { return 0 }
    guard unsafe EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.seal, iv) == 1,
          unsafe guardd_set_ticket_mac(mac, key.authentication, key.authentication.count) == 1
    else { return -1 }
    return isOld ? 2 : 1
}
