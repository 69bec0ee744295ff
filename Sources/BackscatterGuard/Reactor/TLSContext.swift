// What all TLS connections of one kind share: certificates or trust, protocols, ciphers. Made once, then read by all
// workers' threads at the same time, which OpenSSL allows for a finished SSL_CTX. A connection keeps its context alive.

import COpenSSL

/// Postfix's grades of ciphers (tls_medium_cipherlist, tls_high_cipherlist) for TLS 1.2; those of TLS 1.3 are all strong.
/// Anonymous ones, which smtpd takes at level "may", are left out: guardd always has a certificate.
public enum TLSCiphers: String, Sendable, CaseIterable {
    case medium, high

    var list: String { self == .medium ? "HIGH:MEDIUM:+RC4:@STRENGTH:!aNULL" : "HIGH:@STRENGTH:!aNULL" }
}

/// The oldest protocol that is spoken.
public enum TLSProtocol: String, Sendable, CaseIterable {
    case v12 = "TLSv1.2", v13 = "TLSv1.3"

    var number: CInt { self == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}

/// guardd as the server: certificates by name, tickets.
@safe public final class TLSServer: Sendable {
    private nonisolated(unsafe) let contexts: [OpaquePointer]
    private let selection: TLSSelection
    private let tickets: TLSTicketKeys

    /// - Parameter certificates: at least one. For a client that names no server the first and its fellows of other key types.
    /// - Throws: the index of the certificate that OpenSSL does not take, and why.
    public init(
        _ certificates: [TLSCertificate], ciphers: TLSCiphers, oldest: TLSProtocol, tickets: TLSTicketKeys
    ) throws(TLSServerError) {
        selection = TLSSelection(certificates.map { TLSIdentity(names: $0.names, keyType: $0.keyType) })
        self.tickets = tickets
        var made: [OpaquePointer] = unsafe []
        do throws(TLSServerError) {
            for set in selection.sets {
                guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw TLSServerError(index: set[0], error: .refused(TLSText.lastError())) }
                unsafe made.append(context)
                unsafe TLSServer.configure(context, ciphers, oldest)
                for index in set { try unsafe TLSServer.install(certificates[index], index, in: context) }
            }
        } catch {
            for unsafe context in unsafe made { unsafe SSL_CTX_free(context) }
            unsafe contexts = []
            throw error
        }
        unsafe contexts = made
        let (own, keys) = unsafe (Unmanaged.passUnretained(self).toOpaque(), Unmanaged.passUnretained(tickets).toOpaque())
        for unsafe context in unsafe contexts {
            unsafe SSL_CTX_set_ex_data(context, 0, keys)
            unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context, tlsTicketKey)
            unsafe guardd_ctx_set_servername_callback(context, tlsServerName, own)
        }
    }

    deinit { for unsafe context in unsafe contexts { unsafe SSL_CTX_free(context) } }

    private static func configure(_ context: OpaquePointer, _ ciphers: TLSCiphers, _ oldest: TLSProtocol) {
        ERR_clear_error()
        unsafe _ = guardd_ctx_set_min_proto_version(context, oldest.number)
        unsafe guardd_ctx_set_options(context)
        unsafe guardd_ctx_set_mode(context)
        unsafe guardd_ctx_set_no_cache(context)
        unsafe guardd_ctx_set_dh_auto(context)
        unsafe SSL_CTX_set_cipher_list(context, ciphers.list)
        // A mail server resumes one session at a time.
        unsafe SSL_CTX_set_num_tickets(context, 1)
        let name = Octets("guardd".utf8)
        unsafe SSL_CTX_set_session_id_context(context, name, UInt32(name.count))
        unsafe SSL_CTX_set_timeout(context, CLong(TLSTicketKeys.lifetime))
    }

    private static func install(_ certificate: TLSCertificate, _ index: Int, in context: OpaquePointer) throws(TLSServerError) {
        var isGood = unsafe SSL_CTX_use_certificate(context, certificate.leaf) == 1
        isGood = unsafe isGood && SSL_CTX_use_PrivateKey(context, certificate.key) == 1
        for unsafe intermediate in unsafe certificate.intermediates {
            isGood = unsafe isGood && guardd_ctx_add1_chain_cert(context, intermediate) == 1
        }
        if !isGood { throw TLSServerError(index: index, error: .refused(TLSText.lastError())) }
    }

    /// A connection that waits for the client's first message.
    func connection(_ descriptor: CInt) -> TLSConnection? {
        guard let first = unsafe contexts.first, let ssl = unsafe SSL_new(first) else { return nil }
        unsafe SSL_set_accept_state(ssl)
        return unsafe TLSConnection(ssl, descriptor: descriptor, owner: self)
    }

    /// Puts the certificates for `name` in place; false when there are none of that name and the first ones stay.
    fileprivate func select(_ name: String, for ssl: OpaquePointer) -> Bool {
        guard let index = selection.index(for: name) else { return false }
        return unsafe SSL_set_SSL_CTX(ssl, contexts[index]) != nil
    }
}

/// A certificate that OpenSSL does not take into a context.
public struct TLSServerError: Error {
    public let index: Int
    public let error: TLSCertificateError
}

/// OpenSSL's question for the server that a client named (RFC 6066 §3). Top-level: recovers, forwards.
private func tlsServerName(_ ssl: OpaquePointer?, _ alert: UnsafeMutablePointer<CInt>?, _ context: UnsafeMutableRawPointer?) -> CInt {
    guard let ssl = unsafe ssl, let context = unsafe context, let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
    else { return SSL_TLSEXT_ERR_NOACK }
    let server = unsafe Unmanaged<TLSServer>.fromOpaque(context).takeUnretainedValue()
    return unsafe server.select(String(cString: name), for: ssl) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
}

/// guardd as the client of an upstream.
@safe public final class TLSClient: Sendable {
    private nonisolated(unsafe) let context: OpaquePointer
    /// The upstream's certificate must be good and for its name.
    public let verifies: Bool

    /// - Parameter trust: a PEM file of certification authorities; nil: the system's.
    public init(verifies: Bool, trust: String?, ciphers: TLSCiphers) throws(TLSCertificateError) {
        ERR_clear_error()
        guard let made = unsafe SSL_CTX_new(TLS_client_method()) else { throw .refused(TLSText.lastError()) }
        unsafe context = made
        self.verifies = verifies
        unsafe _ = guardd_ctx_set_min_proto_version(made, TLS1_2_VERSION)
        unsafe guardd_ctx_set_options(made)
        unsafe guardd_ctx_set_mode(made)
        unsafe guardd_ctx_set_no_cache(made)
        unsafe SSL_CTX_set_cipher_list(made, ciphers.list)
        guard verifies else { return }
        unsafe SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nil)
        let result = if let trust { unsafe SSL_CTX_load_verify_file(made, trust) } else { unsafe SSL_CTX_set_default_verify_paths(made) }
        if result != 1 { throw .refused(TLSText.lastError()) }
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// A connection that will speak first.
    ///
    /// - Parameter name: whom the certificate must be for, a host name or an IP address; nil: nobody is asked for by name.
    func connection(_ descriptor: CInt, name: String?) -> TLSConnection? {
        guard let ssl = unsafe SSL_new(context) else { return nil }
        unsafe SSL_set_connect_state(ssl)
        if let name {
            let isAddress = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1
            if !isAddress {
                unsafe _ = guardd_set_host_name(ssl, name)
                if verifies { unsafe _ = SSL_set1_host(ssl, name) }
            }
            ERR_clear_error()
        } else if verifies {
            unsafe SSL_free(ssl)
            return nil
        }
        return unsafe TLSConnection(ssl, descriptor: descriptor, owner: self)
    }
}
