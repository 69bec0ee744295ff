@testable import BackscatterGuard

extension VerdictEvent {
    /// A refused bounce.
    static func refused(_ to: String = "ann@example.org", client: String? = "192.0.2.7", id: String = "x@y", at time: Int64 = 1_000_000) -> VerdictEvent {
        var event = VerdictEvent(time: time, verdict: .refuse, reason: .neverSent)
        event.session = "S00000001"
        event.client = client
        event.recipients = [to]
        event.recipientCount = 1
        event.messageID = id
        event.kind = .bounce
        event.size = 466
        event.reply = "550 5.7.1 Backscatter refused"
        return event
    }
}
