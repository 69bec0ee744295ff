// The table of options: who stands between the true client and guardd. docs/positions.md shows each place.

extension Options {
    static let places = OptionGroup<Configuration>(
        title: "Places in the mail path",
        prose: "Peers that speak for others: docs/positions.md.",
        options: [
            networks(
                "proxy_clients", \.proxyClients, sample: ["192.0.2.10", "2001:db8::10"],
                """
                Load balancers that send a PROXY header (haproxy: send-proxy or send-proxy-v2). A connection from such an address must \
                begin with one, and the client that it names is the client everywhere; from any other address PROXY is an unknown command. \
                A [[listener]] can have a list of its own.
                """),
            networks(
                "xforward_clients", \.xforwardClients, sample: ["127.0.0.1"],
                """
                Mail servers that say by XFORWARD whose mail they bring: a Postfix whose smtpd_proxy_filter is guardd. The client that it \
                names is judged by and logged, and told to an upstream that offers XFORWARD. From any other address XFORWARD is refused.
                """),
        ]
    )

    static let listenerProxyClients: ConfigurationOption<ListenerDraft> = {
        let option = ConfigurationOption<ListenerDraft>.list(
            "proxy_clients", \.proxies, standard: [], sample: ["192.0.2.10"], expected: "a network, as \"192.0.2.0/24\" or \"2001:db8::/32\"",
            """
            In the place of proxy_clients above, for this listener: [] where the load balancer's machine also sends mail of its own \
            (content_filter, smtpd_proxy_filter).
            """
        ) { ConfigurationAddress.network($0) }
        return option.standard("proxy_clients above", sample: "[]")
    }()
}

extension ListenerDraft {
    fileprivate var proxies: [Network] {
        get { proxyClients ?? [] }
        set { proxyClients = newValue }
    }
}
