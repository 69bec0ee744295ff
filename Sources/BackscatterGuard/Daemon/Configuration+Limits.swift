// The limits as the sessions and the count of connections want them.

extension Configuration {
    var sessionLimits: SessionLimits {
        var limits = SessionLimits()
        limits.hardErrors = hardErrorLimit
        limits.softErrors = softErrorLimit
        limits.errorSleep = errorSleepTime.clockMilliseconds
        limits.junkCommands = junkCommandLimit
        limits.recipients = recipientLimit
        limits.recipientOvershoot = recipientOvershootLimit
        return limits
    }

    var connectionLimits: ConnectionLimits.Settings {
        .init(
            total: maxConnections, perClient: maxConnectionsPerClient, rate: clientConnectionRateLimit,
            prefixIPv4: clientIPv4Prefix, prefixIPv6: clientIPv6Prefix, stressTimeout: timeouts.clientStress.clockMilliseconds
        )
    }
}
