// A certificate with its chain and private key, read from PEM, and what can be said about it before anybody connects.
// Immutable; the C objects live as long as the value's owner.

import COpenSSL

/// Why a certificate or its key can't be used.
public enum TLSCertificateError: Error, Equatable, Sendable {
    case noCertificate
    case noKey
    case encryptedKey
    case mismatch
    /// OpenSSL's word for what it doesn't take.
    case refused(String)

    /// What is wrong and the remedy.
    public var text: String {
        switch self {
        case .noCertificate: "holds no certificate; write a PEM file with the certificate first and the intermediates behind it"
        case .noKey: "holds no private key; write a PEM file with one"
        case .encryptedKey: "the private key is encrypted; guardd can't ask for a passphrase, so write a key without one"
        case .mismatch: "the private key does not belong to the certificate; write the pair that was made together"
        case .refused(let reason): "not usable: \(reason)"
        }
    }
}

/// Certificate, intermediates, private key.
@safe public final class TLSCertificate: Sendable {
    nonisolated(unsafe) let leaf: OpaquePointer
    nonisolated(unsafe) let key: OpaquePointer
    /// In the order of the file.
    nonisolated(unsafe) let intermediates: [OpaquePointer]
    /// DNS names in lower case, as the certificate lists them; the common name when it lists none.
    public let names: [String]
    /// "RSA", "EC", "ED25519".
    public let keyType: String
    /// Seconds since 1970.
    public let notBefore: Int64
    public let notAfter: Int64

    /// - Parameter chain: PEM: the certificate, then the intermediates.
    /// - Parameter key: PEM; may be the same file.
    public init(chain: Octets, key: Octets) throws(TLSCertificateError) {
        ERR_clear_error()
        var certificates = unsafe TLSCertificate.certificates(in: chain)
        guard let leaf = unsafe certificates.first else { throw .noCertificate }
        unsafe certificates.removeFirst()
        unsafe self.leaf = leaf
        unsafe intermediates = certificates
        guard let made = unsafe TLSCertificate.key(in: key) else {
            unsafe ([leaf] + certificates).forEach { unsafe X509_free($0) }
            // RFC 7468 §11, RFC 1421 §4.6.1.1
            throw String(decoding: key, as: UTF8.self).contains("ENCRYPTED") ? .encryptedKey : .noKey
        }
        unsafe self.key = made
        let type = unsafe EVP_PKEY_get0_type_name(made)
        keyType = unsafe type.map { unsafe String(cString: $0) } ?? "unknown"
        names = unsafe TLSCertificate.names(of: leaf)
        notBefore = unsafe guardd_time(X509_get0_notBefore(leaf))
        notAfter = unsafe guardd_time(X509_get0_notAfter(leaf))
        guard unsafe X509_check_private_key(leaf, made) == 1 else { throw .mismatch }
    }

    deinit {
        unsafe X509_free(leaf)
        for unsafe certificate in unsafe intermediates { unsafe X509_free(certificate) }
        unsafe EVP_PKEY_free(key)
    }

    private static func certificates(in pem: Octets) -> [OpaquePointer] {
        guard let bio = unsafe TLSCertificate.memory(pem) else { return unsafe [] }
        defer { unsafe _ = BIO_free(bio) }
        var found: [OpaquePointer] = unsafe []
        while let certificate = unsafe guardd_read_certificate(bio) { unsafe found.append(certificate) }
        ERR_clear_error()                   // the end of the file counts as an error
        return unsafe found
    }

    private static func key(in pem: Octets) -> OpaquePointer? {
        guard let bio = unsafe TLSCertificate.memory(pem) else { return nil }
        defer { unsafe _ = BIO_free(bio) }
        return unsafe guardd_read_key(bio)
    }

    /// A memory BIO with a copy of the octets.
    private static func memory(_ octets: Octets) -> OpaquePointer? {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
        unsafe octets.withUnsafeBytes { unsafe _ = BIO_write(bio, $0.baseAddress, CInt($0.count)) }
        return unsafe bio
    }

    private static func names(of certificate: OpaquePointer) -> [String] {
        var found: [String] = []
        if let list = unsafe guardd_alternative_names(certificate) {
            for index in 0..<(unsafe guardd_names_count(list)) {
                var length: CInt = 0
                guard let octets = unsafe guardd_names_dns(list, index, &length) else { continue }
                let name = unsafe UnsafeBufferPointer(start: octets, count: Int(length))
                unsafe found.append(String(decoding: ASCII.lowercased(Octets(name)), as: UTF8.self))
            }
            unsafe GENERAL_NAMES_free(list)
        }
        if !found.isEmpty { return found }
        var buffer = [CChar](repeating: 0, count: 256)
        let length = unsafe guardd_common_name(certificate, &buffer, CInt(buffer.count))
        guard length > 0 else { return [] }
        return [String(decoding: ASCII.lowercased(buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }), as: UTF8.self)]
    }
}

/// OpenSSL's words.
enum TLSText {
    /// The reason of the newest error, and an empty queue.
    static func lastError() -> String {
        let error = ERR_peek_last_error()
        defer { ERR_clear_error() }
        guard error != 0, let reason = unsafe ERR_reason_error_string(error) else { return "error \(error)" }
        return unsafe String(cString: reason)
    }
}
