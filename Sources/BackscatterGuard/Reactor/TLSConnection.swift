// One TLS connection on a descriptor: SSL_do_handshake, SSL_read, SSL_write, and what their result means. It knows no
// events; `Socket` waits for what it wants. Owned by one socket, used on its thread.

import COpenSSL
import Glibc

/// An SSL object and its descriptor, which it does not own.
@safe final class TLSConnection {
    /// How an operation came out.
    enum Outcome: Equatable {
        /// So many octets; 0 for a finished handshake.
        case done(Int)
        case wantsRead, wantsWrite
        /// close_notify: the peer will send no more.
        case ended
        /// The peer's FIN without close_notify: it died, or somebody cut the connection (RFC 8446 §6.1).
        case truncated
        case failed(String)
    }

    private let ssl: OpaquePointer
    /// Keeps certificates and ticket keys alive for OpenSSL's callbacks.
    private let owner: AnyObject
    private(set) var isEstablished = false
    /// After a fatal error nothing more may be done with an SSL object, close_notify included.
    private var isUsable = true
    private var saidGoodbye = false
    /// An earlier read waits for the descriptor to become writable, an earlier write for it to become readable.
    var readWantsWrite = false
    var writeWantsRead = false
    /// Octets may have been taken from the kernel that nobody has read: no event will tell of them.
    var mayHoldMore = false

    /// Takes over the SSL object.
    init?(_ ssl: OpaquePointer, descriptor: CInt, owner: AnyObject) {
        unsafe self.ssl = ssl
        self.owner = owner
        guard unsafe SSL_set_fd(ssl, descriptor) == 1 else { return nil }
    }

    deinit { unsafe SSL_free(ssl) }

    func handshake() -> Outcome {
        TLSConnection.forgetErrors()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            isEstablished = true
            return .done(0)
        }
        let outcome = outcome(of: result)
        guard case .failed(let reason) = outcome else { return outcome }
        let verdict = unsafe SSL_get_verify_result(ssl)
        guard verdict != CLong(X509_V_OK), let text = unsafe X509_verify_cert_error_string(verdict) else { return .failed(reason) }
        return unsafe .failed("\(reason): \(String(cString: text))")
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        TLSConnection.forgetErrors()
        let result = unsafe SSL_read(ssl, buffer.baseAddress, CInt(clamping: buffer.count))
        return result > 0 ? .done(Int(result)) : outcome(of: result)
    }

    /// OpenSSL has octets that it took from the kernel and nobody has read.
    var holdsMore: Bool { unsafe SSL_has_pending(ssl) == 1 }

    /// Writes one record at most. What was refused must be offered again first, with at least as many octets.
    func write(_ octets: UnsafeBufferPointer<UInt8>) -> Outcome {
        TLSConnection.forgetErrors()
        let result = unsafe SSL_write(ssl, octets.baseAddress, CInt(clamping: octets.count))
        return result > 0 ? .done(Int(result)) : outcome(of: result)
    }

    /// close_notify, once, if the kernel takes it now.
    func sayGoodbye() {
        guard isEstablished, isUsable, !saidGoodbye else { return }
        saidGoodbye = true
        ERR_clear_error()
        unsafe _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// What was agreed on, in OpenSSL's and Postfix's names: "TLSv1.3", "TLS_AES_256_GCM_SHA384".
    var agreed: (version: String, cipher: String) {
        guard let version = unsafe SSL_get_version(ssl), let cipher = unsafe SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))
        else { return ("unknown", "unknown") }
        return unsafe (String(cString: version), String(cString: cipher))
    }

    /// SSL_get_error takes an older error of the thread for that of the operation. There is hardly ever one, and looking costs
    /// less than clearing.
    private static func forgetErrors() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    private func outcome(of result: CInt) -> Outcome {
        let number = errno
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .ended
        case SSL_ERROR_SYSCALL:
            isUsable = false
            return .failed(number == 0 ? "connection lost" : errnoText(number))
        default:
            isUsable = false
            if guardd_is_truncation(ERR_peek_last_error()) == 1 { return .truncated }
            return .failed(TLSText.lastError())
        }
    }
}
