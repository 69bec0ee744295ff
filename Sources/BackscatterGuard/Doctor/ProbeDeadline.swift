// How long a visit may take: each probe has a time of its own, and none outlasts the whole.

/// A point of the monotonic clock.
struct ProbeDeadline: Sendable {
    /// Milliseconds.
    let end: Int64

    /// - Parameter milliseconds: from now.
    init(after milliseconds: Int64) { end = EventLoop.milliseconds() + milliseconds }
    private init(end: Int64) { self.end = end }

    /// Milliseconds that are left, 0 at least.
    var left: Int64 { max(0, end - EventLoop.milliseconds()) }
    var isOver: Bool { left == 0 }

    /// The earlier of this one and so many milliseconds from now.
    func within(_ milliseconds: Int64) -> ProbeDeadline {
        ProbeDeadline(end: min(end, EventLoop.milliseconds() + milliseconds))
    }
}
