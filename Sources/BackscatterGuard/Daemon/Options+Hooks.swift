// The table of options: what programs of other users on this machine may use to tell what they sent.

extension Options {
    static let hooks = OptionGroup<Configuration>(
        title: "Programs that record",
        prose: """
            For qmail's hooks (docs/qmail.md) and for applications that send through a provider's API (docs/recording.md). \
            Who may open the socket or write into the spool may say of any Message-ID that it was sent from here.
            """,
        options: [
            .text(
                "control_socket", standard: nil, sample: "/run/guardd/control", expected: "an absolute path of at most 100 octets",
                "Path of a Unix socket. One line in, id TAB reverse-path TAB forward-paths,with,commas; \"ok\" comes when it is on disk. The folder must be writable for guardd."
            ) { text, target in
                target.controlSocket = text
                return text.hasPrefix("/") && text.utf8.count <= 100
            }.standard("none", sample: "\"/run/guardd/control\""),
            .text(
                "control_socket_mode", standard: "\"0660\"", sample: "0660", expected: "permission bits in octal, as \"0660\"",
                "Permission of the socket. If all may write it, as with \"0666\", all may write into the spool too."
            ) { text, target in
                guard (3...4).contains(text.utf8.count), let mode = UInt32(text, radix: 8), mode & ~0o777 == 0 else { return false }
                target.controlSocketMode = mode
                return true
            },
            .text(
                "control_group", standard: nil, sample: "mail", expected: "a group of this system",
                "Group of the socket and the spool. guardd's user must belong to it."
            ) { text, target in
                guard let number = ConfigurationSystem.group(text) else { return false }
                target.controlGroup = .init(name: text, number: number)
                return true
            }.standard("guardd's own", sample: "\"mail\""),
            .text(
                "spool_directory", standard: nil, sample: "/var/spool/guardd", expected: "an absolute path",
                """
                Where hooks put what they can't tell the daemon; it imports it at start and before its next lookup. Made if its parent is there. \
                The users of the hooks must be able to reach it, which state_dir with mode 700 does not let them.
                """
            ) { text, target in
                target.spoolDirectory = text
                return text.hasPrefix("/")
            }.standard("\"spool\" in state_dir if there is a control_socket, else none", sample: "\"/var/spool/guardd\""),
        ]
    )
}
