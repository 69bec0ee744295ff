// Mode "auto": what the main loop does for it.

extension Server {
    /// Once a minute, and at the start.
    func keepEnforcement() {
        if isReplaced { return }                                // the file is the successor's now
        let now = EventLoop.seconds()
        enforcement.tick(
            policy, recordedSince: sentLog.recordedSince(at: now),
            bounceWindow: configuration.sentLogSettings.bounceWindow, at: now
        )
    }
}
