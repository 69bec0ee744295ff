// What the configuration says about TLS, checked as far as that goes without opening a certificate, and the contexts made
// from it.

extension Configuration {
    mutating func applyCertificates(_ value: ConfigurationValue?, with reader: inout ConfigurationReader) {
        guard let value else { return }
        guard case .array(let elements) = value else {
            return reader.fault("certificate", "\(value.shown) won't do; write [[certificate]], in double brackets, and the keys below it")
        }
        for (index, element) in elements.enumerated() {
            let path = "certificate[\(index)]"
            guard case .table(let table) = element else {
                reader.fault(path, "\(element.shown) won't do; write [[certificate]] and below it chain = \"/path/fullchain.pem\"")
                continue
            }
            var draft = CertificateDraft()
            reader.read(table, at: path, with: Options.certificate, into: &draft)
            if let chain = draft.chain {
                certificates.append(Certificate(chain: chain, key: draft.key ?? chain))
            } else if table["chain"] == nil {
                reader.fault("\(path).chain", "missing; write the path of a PEM file, as \"/etc/letsencrypt/live/mx.example.org/fullchain.pem\"")
            }
        }
    }

    func checkTLS(_ add: (String?, String) -> Void) {
        for (index, listener) in listeners.enumerated() where listener.kind == .smtp {
            let path = "listener[\(index)]"
            if listener.tls == ClientTLS.Start.none, listener.tlsLevel == .encrypt {
                add("\(path).tls_level", "\"encrypt\" and tls = \"none\" leave no way to send mail; write tls = \"starttls\", or remove one of them")
            } else if certificates.isEmpty, listener.tls ?? .none != .none || listener.tlsLevel == .encrypt {
                let key = listener.tls ?? .none != .none ? "tls" : "tls_level"
                add("\(path).\(key)", "needs a certificate; write [[certificate]] with chain and key")
            }
        }
        let hasSocket = upstreams.contains { if case .unix = $0 { true } else { false } }
        if upstreamTLS == .verify, hasSocket, upstreamTLSName == nil {
            add("upstream_tls_name", "missing; a Unix socket has no name to verify, so write the one in the upstream's certificate")
        }
    }

    /// `none` for what does not leave this machine.
    var effectiveUpstreamTLS: UpstreamTLS {
        if let upstreamTLS { return upstreamTLS }
        return upstreams.allSatisfy(\.isLocal) ? .none : .may
    }

    /// nil when the upstream is spoken to in clear.
    func makeTLSClient() throws(ConfigurationError) -> TLSClient? {
        let level = effectiveUpstreamTLS
        if level == .none { return nil }
        let trust = upstreamTLSAuthorities.map(path)
        do {
            return try TLSClient(verifies: level == .verify, trust: trust, ciphers: tlsCiphers)
        } catch {
            throw ConfigurationError([.init(file: file, keyPath: "upstream_tls_ca", problem: "\(trust ?? "the system's list"): \(error.text)")])
        }
    }

    /// Reads the certificates as a start does.
    ///
    /// - Parameter now: seconds since 1970; one whose time is not now is a fault as well.
    /// - Returns: a line for each certificate: its file, key, names and end; a line for each that ends soon.
    public func checkCertificates(at now: Int64) throws(ConfigurationError) -> (certificates: [String], warnings: [String]) {
        let keeper = TLSKeeper()
        _ = try keeper.load(self, at: now)
        _ = try makeTLSClient()
        let faults = keeper.untimely(at: now)
        guard faults.isEmpty else { throw ConfigurationError(faults) }
        return (keeper.lines, keeper.ending(at: now))
    }
}

extension Configuration.Upstream {
    /// On this machine, whatever the DNS says.
    fileprivate var isLocal: Bool {
        switch self {
        case .unix, .program: true
        case .address(let address): Network.loopback.contains { $0.contains(address) }
        case .host(let name, _): name == "localhost"
        }
    }
}

