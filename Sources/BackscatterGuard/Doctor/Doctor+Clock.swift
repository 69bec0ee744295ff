// Is the clock kept right? Coverage, expiry and the age of bounces are all told by it.

extension Doctor {
    var clockFindings: [Finding] {
        switch system.clock() {
        case .synchronised: [Finding(.clock, .ok, "the kernel is told the time by NTP")]
        case .free: [Finding(.clock, .warning, "nobody keeps the clock right (no NTP)", remedy: "install chrony or systemd-timesyncd, or see why it does not reach its servers; in a container: on its host")]
        case .unknown: [Finding(.clock, .unseen, "the kernel does not say whether its clock is kept right")]
        }
    }
}
