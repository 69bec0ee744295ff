// What a milter session tells its driver to do, in order. As with `SessionSink` the driver only performs, and no method
// calls back into the session.

/// The socket, the sent log and the log lines behind one milter session.
public protocol MilterSink: AnyObject {
    /// Packets for the MTA.
    func toMTA(_ octets: Octets)
    /// Closes the connection when all packets have been written.
    func closeMTA()
    /// Puts a question to the sent log; `found` follows.
    func ask(_ inquiry: Inquiry)
    /// Makes a record durable; `recorded` follows, in the order of the calls.
    func record(_ entry: SentEntry)
    /// A fact for the log and the counters.
    func report(_ event: @autoclosure () -> SessionEvent)
}
