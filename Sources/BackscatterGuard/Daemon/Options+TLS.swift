// The table of options, fourth part: TLS with clients and with the upstream.

extension Options {
    static let tls = OptionGroup<Configuration>(
        title: "TLS",
        prose: "Clients: give a certificate (see [[certificate]] below), and STARTTLS is offered on each [[listener]] that doesn't say otherwise.",
        options: [
            .choice(
                "tls_ciphers", \.tlsCiphers, of: fresh,
                "Postfix's grade of the ciphers for TLS 1.2 (smtpd_tls_ciphers). Those of TLS 1.3 are all strong."),
            .choice("tls_protocol", \.tlsProtocol, of: fresh, "The oldest protocol that clients may speak. There is none older than TLS 1.2."),
            .boolean(
                "auth_without_tls", \.authWithoutTLS, of: fresh,
                "Whether AUTH is offered and passed on in clear where TLS is offered. Else only inside TLS (538 5.7.11), as with Postfix's smtpd_tls_auth_only. A listener without TLS passes AUTH as the mail server offers it."),
            .word(
                "upstream_tls", standard: nil,
                """
                TLS with the mail server behind. "none". "may": if it offers STARTTLS and the handshake succeeds, whatever its certificate; \
                else in clear. "verify": only with a certificate that a trusted authority signed for its name.
                """
            ) { word, target in target.upstreamTLS = word }
                .standard("\"none\" if all upstreams are loopback addresses or Unix sockets, else \"may\"", sample: "\"verify\""),
            file(
                "upstream_tls_ca", \.upstreamTLSAuthorities, standard: "the system's", sample: "/etc/guardd/upstream-ca.pem",
                "PEM file of the authorities that \"verify\" trusts. A relative path begins at the folder of this file."),
            .text(
                "upstream_tls_name", standard: nil, sample: "mail.example.org", expected: "a host name or an IP address",
                "The name that the upstream's certificate must be for. Has to be written for a Unix socket."
            ) { text, target in
                target.upstreamTLSName = text
                return ConfigurationAddress.isHostName(text) || PeerAddress(text) != nil
            }.standard("the name or address in upstream", sample: "\"mail.example.org\""),
        ]
    )

    static let certificate: [ConfigurationOption<CertificateDraft>] = [
        file(
            "chain", \.chain, standard: nil, sample: "/etc/letsencrypt/live/mx.example.org/fullchain.pem",
            "PEM file with the certificate and behind it the intermediates. A relative path begins at the folder of this file."),
        file(
            "key", \.key, standard: "the file of chain", sample: "/etc/letsencrypt/live/mx.example.org/privkey.pem",
            "PEM file with its private key, without a passphrase. guardd must be able to read it again when it is renewed: docs/tls.md. $CREDENTIALS_DIRECTORY/NAME, here as for chain, is a file of systemd's LoadCredential=."),
    ]

    private static func file<Target>(
        _ key: String, _ field: Field<Target, String?>, standard: String?, sample: String, _ prose: String
    ) -> ConfigurationOption<Target> {
        let option = ConfigurationOption<Target>.text(key, standard: nil, sample: sample, expected: "the path of a file", prose) { text, target in
            target[keyPath: field] = text
            return !text.isEmpty
        }
        return standard.map { option.standard($0, sample: TOMLText.text(sample)) } ?? option
    }
}

/// A `[[certificate]]` while it is read.
struct CertificateDraft: Sendable {
    var chain: String?
    var key: String?
}
