// The hooks' own command line, read before any other part of guardd is touched: they are started for every mail, their
// arguments are octets, and they may be called by another name (a symbolic link `qmail-remote` to guardd).

import Glibc

public enum HookProgram {
    enum Role: Equatable { case qmailRemote, qmailQueue }

    /// Runs this process as a hook if that is what it was called as.
    ///
    /// - Parameter arguments: with the program's name.
    /// - Returns: the exit status; nil when it is no hook. As qmail-remote it becomes the real one and does not return.
    public static func run(_ arguments: [Octets]) -> CInt? {
        guard let (role, rest, flags) = called(arguments) else { return nil }
        let settings: HookSettings
        do throws(HookSettings.Fault) {
            settings = try read(flags)
        } catch {
            return fail(role, error.text)
        }
        switch role {
        case .qmailRemote:
            return say(QmailRemote.run(rest, settings))
        case .qmailQueue:
            return QmailQueue.run(settings)
        }
    }

    /// What the process is, its arguments as the real program would have them, and flags.
    static func called(_ arguments: [Octets]) -> (role: Role, rest: [Octets], flags: [(String, String)])? {
        guard let path = arguments.first else { return nil }
        let name = path.split(separator: 0x2F).last.map(Octets.init) ?? []
        if let role = role(name) { return (role, arguments, []) }
        guard arguments.count > 1, let role = role(arguments[1]) else { return nil }
        var flags: [(String, String)] = []
        var index = 2
        while index < arguments.count, arguments[index].starts(with: Octets("--".utf8)) {
            let flag = String(decoding: arguments[index].dropFirst(2), as: UTF8.self)
            index += 1
            if flag.isEmpty { break }
            if flag == "help" { return nil }
            flags.append((flag, index < arguments.count ? String(decoding: arguments[index], as: UTF8.self) : ""))
            index += 1
        }
        return (role, [arguments[1]] + arguments.dropFirst(index), flags)
    }

    private static func role(_ name: Octets) -> Role? {
        if name == Octets("qmail-remote".utf8) { return .qmailRemote }
        return name == Octets("qmail-queue".utf8) ? .qmailQueue : nil
    }

    /// `--socket`, `--spool`, and the keys of the settings' file with hyphens.
    private static func read(_ flags: [(String, String)]) throws(HookSettings.Fault) -> HookSettings {
        var settings = try HookSettings.ofProcess()
        for (flag, value) in flags {
            let key = switch flag {
            case "socket": "control_socket"
            case "spool": "spool_directory"
            default: String(flag.map { $0 == "-" ? "_" : $0 })
            }
            if let problem = settings.set(key, value) { throw HookSettings.Fault(text: "--\(flag): \(problem)") }
        }
        return settings
    }

    private static func fail(_ role: Role, _ reason: String) -> CInt {
        if role == .qmailQueue {
            HookVoice().say(reason)
            return QmailQueue.Status.configuration
        }
        HookLog.write(reason)
        return say(QmailRemote.report(reason))
    }

    /// A report of qmail-remote: to descriptor 1, exit 0.
    private static func say(_ report: Octets) -> CInt {
        var rest = report[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return 111 }
            rest = rest.dropFirst(count)
        }
        return 0
    }
}
