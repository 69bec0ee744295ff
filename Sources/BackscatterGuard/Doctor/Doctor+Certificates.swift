// Certificates: can they be read, does the key belong to them, is their time now, do they name this host?

import Glibc

extension Doctor {
    /// Seconds before the end that a renewal should have come.
    private static let notice: Int64 = 14 * Day.seconds

    var certificateFindings: [Finding] {
        guard !configuration.certificates.isEmpty else { return noCertificate }
        var findings: [Finding] = []
        var read: [TLSCertificate] = []
        for files in configuration.certificates {
            let (certificate, finding) = look(at: files)
            findings.append(finding)
            if let certificate { read.append(certificate) }
        }
        if read.count == configuration.certificates.count, !read.contains(where: { certificate in certificate.names.contains { names($0, configuration.hostname) } }) {
            findings.append(Finding(
                .certificates, .warning, "no certificate names \(configuration.hostname), the hostname that guardd greets with",
                remedy: "get one for it: servers that verify (MTA-STS, DANE) will not send here otherwise"))
        }
        return findings
    }

    private var noCertificate: [Finding] {
        let strangers = configuration.listeners.filter { $0.kind == .smtp && $0.path == nil && !$0.address.isLoopback && $0.direction != .outbound }
        guard let listener = strangers.first else { return [] }
        return [Finding(
            .certificates, .warning, "none: \(listener.text) offers no STARTTLS, so other servers send mail to it in clear",
            remedy: "write [[certificate]] with chain and key (docs/tls.md)")]
    }

    private func look(at files: Configuration.Certificate) -> (TLSCertificate?, Finding) {
        let (chain, key) = (configuration.path(files.chain), configuration.path(files.key))
        var texts: [Octets] = []
        for path in [chain, key] {
            switch ConfigurationSystem.contents(of: path, limit: 1 << 20) {
            case .success(let octets): texts.append(octets)
            case .failure(.system(EACCES)) where geteuid() != 0:
                return (nil, Finding(.certificates, .unseen, "\(path): may not be read by this user", remedy: Doctor.askRoot))
            case .failure(let error):
                let isCredential = path.hasPrefix(Configuration.credentials)
                return (nil, Finding(
                    .certificates, isCredential ? .unseen : .error, "\(path): can't be read: \(isCredential ? "it is a credential of the service" : error.description)",
                    remedy: isCredential ? "systemctl show guardd -p LoadCredential tells its file" : "mend the path in [[certificate]], or its permissions"))
            }
        }
        do throws(TLSCertificateError) {
            let certificate = try TLSCertificate(chain: texts[0], key: texts[1])
            return (certificate, finding(certificate, chain))
        } catch {
            let isOfKey = [.noKey, .encryptedKey, .mismatch].contains(error)
            return (nil, Finding(.certificates, .error, line: "\(isOfKey ? key : chain): \(error.text)"))
        }
    }

    private func finding(_ certificate: TLSCertificate, _ chain: String) -> Finding {
        let names = certificate.names.isEmpty ? "no name" : certificate.names.prefix(8).map { ASCII.washed($0.utf8, limit: 100) }.joined(separator: ", ")
        let end = UTC.text(certificate.notAfter)
        if system.now > certificate.notAfter {
            return Finding(.certificates, .error, "\(chain): expired at \(end)", remedy: "renew it; guardd takes the new file by itself")
        }
        if system.now < certificate.notBefore {
            return Finding(.certificates, .error, "\(chain): not valid before \(UTC.text(certificate.notBefore))", remedy: "set the clock right, or wait")
        }
        let left = certificate.notAfter - system.now
        if left < Doctor.notice {
            return Finding(.certificates, .warning, "\(chain): expires in \(left / Day.seconds) days, at \(end)", remedy: "renew it; see why that did not happen by itself (certbot renew)")
        }
        return Finding(.certificates, .ok, "\(chain): \(certificate.keyType) for \(names), until \(end), and its key fits")
    }

    /// RFC 6125 6.4: a wildcard stands for one label.
    private func names(_ pattern: String, _ host: String) -> Bool {
        let host = ASCII.lowercased(host.utf8), pattern = Octets(pattern.utf8)
        if pattern == host { return true }
        guard pattern.starts(with: Octets("*.".utf8)), let dot = host.firstIndex(of: ASCII.dot) else { return false }
        return host[dot...] == pattern[1...]
    }
}
