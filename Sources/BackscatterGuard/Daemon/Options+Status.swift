// The table of options: where the status is told (docs/status.md).

extension Options {
    static let status = OptionGroup<Configuration>(
        title: "Status",
        prose: """
            A page for people, metrics for Prometheus, JSON, and `guardd status`: HTTP on a Unix socket, read only (docs/status.md). \
            Who may read it learns addresses and Message-IDs of what was refused.
            """,
        options: [
            .text(
                "status_socket", standard: nil, sample: "/run/guardd/status", expected: "an absolute path of at most 100 octets, or \"none\"",
                "Path of the socket. The folder must be writable for guardd. \"none\": there is none."
            ) { text, target in
                target.statusSocket = text == "none" ? .none : .path(text)
                return text == "none" || text.hasPrefix("/") && text.utf8.count <= 100
            }.standard("\"status\" in the folder that systemd gives (RuntimeDirectory=), else in state_dir", sample: "\"/run/guardd/status\""),
            .text(
                "status_socket_mode", standard: "\"0660\"", sample: "0660", expected: "permission bits in octal, as \"0660\"",
                "Permission of the socket: who may write it may read the status."
            ) { text, target in
                guard (3...4).contains(text.utf8.count), let mode = UInt32(text, radix: 8), mode & ~0o777 == 0 else { return false }
                target.statusSocketMode = mode
                return true
            },
            .text(
                "status_group", standard: nil, sample: "adm", expected: "a group of this system",
                "Group of the socket. guardd's user must belong to it."
            ) { text, target in
                guard let number = ConfigurationSystem.group(text) else { return false }
                target.statusGroup = .init(name: text, number: number)
                return true
            }.standard("guardd's own", sample: "\"adm\""),
            .text(
                "status_listen", standard: nil, sample: "127.0.0.1:9725", expected: "a loopback address and a port, as \"127.0.0.1:9725\" or \"[::1]:9725\"",
                """
                The same over TCP as well, for a Prometheus or a browser on this machine. Loopback only: every user of this machine may read it, \
                and nobody else; for other machines put a proxy with a password and TLS before it.
                """
            ) { text, target in
                guard let address = ConfigurationAddress.socket(text), address.isLoopback else { return false }
                target.statusListen = address
                return true
            }.standard("none", sample: "\"127.0.0.1:9725\""),
        ]
    )
}
