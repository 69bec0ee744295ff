// Running the program that a hook stands in front of. Arguments are octets: addresses may hold any but NUL.

import Glibc

enum Execution {
    /// Becomes another program with this one's environment and descriptors.
    ///
    /// - Parameter arguments: with the program's name; none holds NUL.
    /// - Returns: errno, when it could not be done.
    static func become(_ path: String, _ arguments: [Octets]) -> CInt {
        var pointers = unsafe vector(arguments)
        defer { unsafe free(&pointers) }
        unsafe execv(path, pointers)
        return errno
    }

    /// Starts another program with this one's environment; descriptors 0 and 1 are those given, all others this one's.
    ///
    /// - Returns: its process, or errno.
    static func start(_ path: String, _ arguments: [Octets], input: CInt, output: CInt) -> Result<pid_t, SystemFault> {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        var pointers = unsafe vector(arguments)
        // `environ` is a variable that Swift lets nobody read; this process has changed nothing in it.
        var environment = unsafe vector((HookFile.contents(of: "/proc/self/environ", limit: 4 << 20) ?? []).split(separator: ASCII.nul).map { Octets($0) })
        defer {
            unsafe free(&pointers)
            unsafe free(&environment)
        }
        var process = pid_t()
        let number = unsafe posix_spawn(&process, path, &actions, nil, pointers, environment)
        return number == 0 ? .success(process) : .failure(SystemFault(number: number))
    }

    struct SystemFault: Error { let number: CInt }

    /// Waits for its end.
    ///
    /// - Returns: its exit status; nil when a signal ended it.
    static func wait(for process: pid_t) -> CInt? {
        var status: CInt = 0
        while unsafe waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return nil }
        }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
    }

    /// Whether a path leads to the program that runs now: it must not start itself again and again.
    static func isThisProgram(_ path: String) -> Bool {
        guard let own = FileIdentity(path: "/proc/self/exe") else { return false }
        return FileIdentity(path: path) == own
    }

    private static func vector(_ arguments: [Octets]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe arguments.map { argument in
            unsafe strndup(argument.map { CChar(bitPattern: $0) } + [0], argument.count)
        } + [nil]
    }

    private static func free(_ pointers: inout [UnsafeMutablePointer<CChar>?]) {
        for unsafe pointer in unsafe pointers { unsafe Glibc.free(pointer) }
        unsafe pointers = []
    }
}
