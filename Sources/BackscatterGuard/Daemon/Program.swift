// guardd's own program: how it was started, and how it is started anew. The path is kept as it was said, links and all, so
// that a new version put in its place is what is started next.

import Glibc

/// A program with its arguments. Found at the start of the process, because the working folder or PATH may change.
public struct Program: Sendable, Equatable {
    /// Absolute.
    public let path: String
    /// The first is the name.
    public let arguments: [String]

    /// The one that runs; nil when neither its name nor the system tells its path.
    public static func ofProcess(_ arguments: [String] = CommandLine.arguments) -> Program? {
        guard let name = arguments.first, !name.isEmpty, let path = path(of: name) ?? running else { return nil }
        return Program(path: path, arguments: arguments)
    }

    private static func path(of name: String) -> String? {
        if name.hasPrefix("/") { return name }
        if name.contains("/") { return folder.map { $0 + "/" + name } }
        let folders = (ConfigurationSystem.variable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .split(separator: ":").map(String.init)
        return folders.lazy.filter { $0.hasPrefix("/") }.map { $0 + "/" + name }.first { unsafe access($0, X_OK) == 0 }
    }

    private static var folder: String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard unsafe getcwd(&buffer, buffer.count) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static var running: String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
        return count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }

    /// Starts it as a process of its own, which inherits `descriptors` as 3, 4, 5 … and no other but the standard ones.
    ///
    /// SIGHUP and SIGUSR2 are blocked in it until it takes them: they would end it before.
    ///
    /// - Parameter environment: variables besides those of this process.
    func start(descriptors: [CInt], environment: [String: String]) throws(ReactorError) -> pid_t {
        // Away from the numbers that they are to get.
        let least = Inheritance.firstDescriptor + CInt(clamping: descriptors.count)
        var copies: [CInt] = []
        defer { copies.forEach { _ = close($0) } }
        for descriptor in descriptors {
            let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, least)
            if copy < 0 { throw .system(call: "fcntl", errno: errno) }
            copies.append(copy)
        }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        for (index, copy) in copies.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, copy, Inheritance.firstDescriptor + CInt(clamping: index))
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        var blocked = Program.signals
        unsafe posix_spawnattr_setsigmask(&attributes, &blocked)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = Program.variables().filter { environment[$0.name] == nil }.map { "\($0.name)=\($0.value)" } + environment.map { "\($0)=\($1)" }
        var process: pid_t = 0
        let number = unsafe Program.withPointers(arguments) { arguments in
            unsafe Program.withPointers(variables) { unsafe posix_spawn(&process, path, &actions, &attributes, arguments, $0) }
        }
        if number != 0 { throw .system(call: "posix_spawn", errno: number) }
        return process
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGHUP)
        unsafe sigaddset(&set, SIGUSR2)
        return set
    }

    /// For a process that `start` has begun, when it can take them.
    static func unblockSignals() {
        var set = signals
        unsafe _ = pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private static func variables() -> [(name: String, value: String)] {
        var found: [(String, String)] = []
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let parts = unsafe String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { found.append((String(parts[0]), String(parts[1]))) }
            unsafe entry += 1
        }
        return found
    }

    /// Texts as C wants an argument list: pointers, nil at the end, good during the call only.
    private static func withPointers<Value>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value) -> Value {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) }
        defer { for unsafe pointer in unsafe pointers { unsafe free(pointer) } }
        unsafe pointers.append(nil)
        return unsafe body(pointers)
    }
}
