// A program that guardd has started, with a stream socket to it as its standard input and output (UCSPI). It gets that
// socket, /dev/null for standard error, the arguments and the environment that it is given, and nothing else: no other
// descriptor, no signal ignored or blocked, no shell; it leads a session and a process group of its own.
//
// Its end comes through the loop, from a pidfd; it alone is waited for, so children of others stay theirs. Life: the
// event holds one retain of the object until the process was reaped, or `forget()`.

import CEvent
import Glibc

/// A process of guardd's own, until it has ended. Belongs to its loop's thread.
@safe public final class ChildProcess {
    public enum Ending: Equatable, Sendable {
        case exited(CInt)
        case killed(signal: CInt)
        /// Somebody else has reaped it.
        case unknown
    }

    public let pid: pid_t
    private var event: OpaquePointer?
    private var descriptor: CInt = -1
    private var isRunning = true
    private let ended: (Ending) -> Void

    /// Starts a program. Blocks until it runs, or can't: see spawn.h for how long that is.
    ///
    /// - Parameters:
    ///   - arguments: from argv[0] on, which is also the absolute path of the program. No NUL in any.
    ///   - environment: `NAME=value`, the whole of it. No NUL in any.
    ///   - ended: on the loop's thread, once, after it was reaped; not from within this call.
    /// - Returns: the process, and guardd's end of the connection: non-blocking, close-on-exec, the caller's to close.
    /// - Throws: `.system` with the call that failed; execve(2)'s errno is told as that of "start".
    public static func start(
        _ arguments: [String], environment: [String], loop: EventLoop, ended: @escaping (Ending) -> Void
    ) throws(ReactorError) -> (ChildProcess, connection: CInt) {
        var ends: (CInt, CInt) = (-1, -1)
        let made = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
            unsafe pointer.withMemoryRebound(to: CInt.self, capacity: 2) { unsafe guardd_socketpair($0) }
        }
        guard made == 0 else { throw .system(call: "socketpair", errno: errno) }
        defer { _ = Glibc.close(ends.1) }
        guard evutil_make_socket_nonblocking(ends.0) == 0 else {
            _ = Glibc.close(ends.0)
            throw .system(call: "fcntl", errno: errno)
        }
        var pid: pid_t = 0
        let error = spawn(&pid, arguments, environment, ends.1)
        guard error == 0 else {
            _ = Glibc.close(ends.0)
            throw .system(call: "start", errno: error)
        }
        return (ChildProcess(pid: pid, loop: loop, ended: ended), ends.0)
    }

    private static func spawn(_ pid: inout pid_t, _ arguments: [String], _ environment: [String], _ connection: CInt) -> CInt {
        var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var envp = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer {
            for unsafe text in unsafe argv + envp { unsafe free(text) }
        }
        guard let path = unsafe argv[0] else { return ENOMEM }
        // A NULL in the middle is a strdup(3) that failed: it would cut the list.
        guard unsafe argv.dropLast().allSatisfy({ unsafe $0 != nil }), unsafe envp.dropLast().allSatisfy({ unsafe $0 != nil }) else { return ENOMEM }
        return unsafe guardd_spawn(&pid, path, &argv, &envp, connection)
    }

    private init(pid: pid_t, loop: EventLoop, ended: @escaping (Ending) -> Void) {
        self.pid = pid
        self.ended = ended
        unsafe _ = Unmanaged.passRetained(self)
        // Without a pidfd (none left, a kernel before 5.3) `poll()` finds its end.
        descriptor = guardd_pidfd(pid)
        guard descriptor >= 0 else { return }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe event = event_new(loop.base, descriptor, Int16(EV_READ | EV_PERSIST), childEnded, context)
        if let made = unsafe event { unsafe event_add(made, nil) }
    }

    deinit { precondition(!isRunning, "ChildProcess dropped while it runs") }

    /// Reaps it if it has ended; for every tick.
    public func poll() {
        guard isRunning else { return }
        var value: CInt = 0
        let ending: Ending
        switch unsafe guardd_reap(pid, &value) {
        case 0: return
        case 1: ending = .exited(value)
        case 2: ending = .killed(signal: value)
        default: ending = .unknown
        }
        let ended = ended
        forget()
        ended(ending)
    }

    /// Sends a signal to it and to what it has started, but for what left its process group.
    ///
    /// - Returns: 0 or an errno: EPERM for a program that runs as another user.
    @discardableResult
    public func signal(_ number: CInt) -> CInt {
        guard isRunning else { return ESRCH }               // its number may be another's by now
        return kill(-pid, number) == 0 ? 0 : errno
    }

    /// Nobody waits for it any more: for the end of the loop. Idempotent.
    public func forget() {
        guard isRunning else { return }
        isRunning = false
        if let event = unsafe event { unsafe event_free(event) }
        unsafe event = nil
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        unsafe Unmanaged.passUnretained(self).release()
    }
}

private func childEnded(_: CInt, _: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let child = unsafe Unmanaged<ChildProcess>.fromOpaque(context).takeUnretainedValue()
    child.poll()
}
