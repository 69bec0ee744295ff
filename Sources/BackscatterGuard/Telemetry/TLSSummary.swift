/// What a client's TLS connection agreed on, in OpenSSL's and Postfix's names.
public struct TLSSummary: Sendable, Equatable {
    /// "TLSv1.3"
    public var version: String
    /// "TLS_AES_256_GCM_SHA384"
    public var cipher: String

    public init(version: String, cipher: String) {
        self.version = version
        self.cipher = cipher
    }
}
