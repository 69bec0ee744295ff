// The table of options, fifth part: as whom guardd serves.

extension Options {
    static let privileges = OptionGroup<Configuration>(
        title: "As whom it serves",
        prose: """
            Started as root, guardd binds its ports and reads keys and certificates, then becomes this user for good. Without user it does \
            not serve as root where strangers can reach it: on an address other than loopback, or a port below 1024.
            """,
        options: [
            name("user", \.user, sample: "guardd", "A name or a number. \"root\": it stays root. Started as another user it must be that user."),
            name("group", \.group, sample: "guardd", "The same for the group; the user's other groups are taken as well.")
                .standard("the user's own", sample: "\"guardd\""),
        ]
    )

    private static func name(_ key: String, _ field: Field<Configuration, String?>, sample: String, _ prose: String) -> ConfigurationOption<Configuration> {
        .text(key, standard: nil, sample: sample, expected: "the name of an account, as \"guardd\"", prose) { text, target in
            target[keyPath: field] = text
            return !text.isEmpty && text.utf8.count <= 256 && text.utf8.allSatisfy { $0 > ASCII.space && $0 < ASCII.del && $0 != ASCII.colon }
        }.standard("who started it", sample: TOMLText.text(sample))
    }
}
