// The hooks' place in the command line's help. They themselves are run before the command line is read: HookProgram.

import ArgumentParser
import BackscatterGuard

private let flags = """
    Flags: --socket, --spool, --record-failure, --deadline, --qmail-remote, --qmail-queue, --rcpthosts, --outgoing-networks, each with a \
    value. They win over the variables GUARDD_SOCKET, GUARDD_SPOOL and GUARDD_RECORD_FAILURE, and those over \(HookSettings.standardFile) \
    (GUARDD_HOOKS names another file).
    """

struct QmailRemoteHelp: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "qmail-remote",
        abstract: "Records a mail, then becomes qmail's qmail-remote: guardd qmail-remote [flags] host sender recipient...",
        discussion: "A symbolic link of that name to guardd does the same. " + flags
    )
}

struct QmailQueueHelp: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "qmail-queue",
        abstract: "Records a mail while it passes it on to qmail's qmail-queue: for QMAILQUEUE.",
        discussion: "A symbolic link of that name to guardd does the same. " + flags
    )
}
