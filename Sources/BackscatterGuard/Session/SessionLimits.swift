// What a client may do in one session before it is slowed down and then sent away: Postfix's limits, meant as Postfix
// means them (postconf(5)). In each of them 0 is no limit.

/// Counts and times that bound a session.
public struct SessionLimits: Sendable, Equatable {
    /// Errors without delivering mail before 421 and a close: smtpd_hard_error_limit.
    public var hardErrors = 20
    /// Errors from which on every command waits for `errorSleep`: smtpd_soft_error_limit.
    public var softErrors = 10
    /// Milliseconds: smtpd_error_sleep_time.
    public var errorSleep: Int64 = 1_000
    /// Commands that bring no mail nearer before each of them counts as an error: smtpd_junk_command_limit.
    public var junkCommands = 100
    /// Recipients of a transaction: smtpd_recipient_limit.
    public var recipients = 1_000
    /// Further recipients that are put off with 452 before each of them counts as an error: smtpd_recipient_overshoot_limit.
    public var recipientOvershoot = 1_000

    public init() {}

    /// While guardd is nearly full: Postfix's values under overload (STRESS_README).
    var underStress: SessionLimits {
        var limits = self
        limits.hardErrors = min(hardErrors, 1)
        limits.junkCommands = min(junkCommands, 1)
        return limits
    }
}
