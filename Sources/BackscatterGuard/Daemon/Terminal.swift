// The terminal of `guardd top`: the alternate screen, keys without waiting for a line, and everything as it was afterwards,
// also when a signal ends the program. xterm's sequences, which every terminal of today knows; no terminfo.

import Glibc
import Synchronization

/// Signals that came; the handler may do no more than this.
private let caught = Atomic<CInt>(0)

/// Standard input and output, when both are one.
public final class Terminal {
    private var before = termios()

    /// nil when standard input or output is none.
    public init?() {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, unsafe tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
    }

    /// The language of the environment says that characters of UTF-8 are shown.
    public var isUTF8: Bool {
        let value = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { ConfigurationSystem.variable($0) }.first { !$0.isEmpty } ?? ""
        return value.lowercased().hasSuffix("utf-8") || value.lowercased().hasSuffix("utf8")
    }

    /// Columns and lines; 80 × 24 where it doesn't say.
    public var size: (width: Int, height: Int) {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Runs `body` on the alternate screen. SIGINT, SIGTERM and SIGHUP end it as `key` tells; SIGTSTP is ignored, because it
    /// would leave the terminal as it is.
    public func run(_ body: () -> Void) {
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { signal(number) { caught.store($0, ordering: .relaxed) } }
        signal(SIGTSTP, SIG_IGN)
        // Its only work is to interrupt the wait for a key.
        signal(SIGWINCH) { _ in }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        (raw.c_cc.5, raw.c_cc.6) = (0, 0)                        // VTIME, VMIN
        unsafe tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        write("\u{1B}[?1049h\u{1B}[?25l")
        body()
        write("\u{1B}[?25h\u{1B}[?1049l")
        unsafe tcsetattr(STDIN_FILENO, TCSANOW, &before)
    }

    /// What happened while waiting.
    public enum Event: Equatable, Sendable {
        case key(UInt8)
        case nothing
        /// A signal, or nobody is at the terminal any more.
        case end
    }

    /// - Parameter milliseconds: how long at most. A changed size ends it at once.
    public func wait(atMost milliseconds: CInt) -> Event {
        if caught.load(ordering: .relaxed) != 0 { return .end }
        var query = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        let count = unsafe poll(&query, 1, milliseconds)
        if caught.load(ordering: .relaxed) != 0 { return .end }
        guard count > 0 else { return .nothing }
        var octet: UInt8 = 0
        return unsafe read(STDIN_FILENO, &octet, 1) == 1 ? .key(octet) : .end
    }

    /// Milliseconds of the monotonic clock.
    public static func clock() -> Int64 { EventLoop.milliseconds() }

    /// The whole screen, in one write.
    public func show(_ lines: [String]) {
        write("\u{1B}[H" + lines.joined(separator: "\u{1B}[K\r\n") + "\u{1B}[K\u{1B}[J")
    }

    private func write(_ text: String) {
        LogSink.write(Octets(text.utf8), to: STDOUT_FILENO)
    }
}
