// What `guardd selftest` was told, and why it can't begin.

/// Flags of a selftest.
public struct SelftestSettings: Sendable {
    /// Where the probe goes; nil: to `from`, or to the sink.
    public var to: String?
    /// Who sends it, and to whom its bounces come; nil: `to` if that is protected, else guardd-selftest@ the first protected domain.
    public var from: String?
    /// A mail server that takes the probe, host:port; nil: as the configuration has it.
    public var via: String?
    /// A mail server that takes the bounces, host:port; nil: as the configuration has it.
    public var mx: String?
    /// Where the built-in sink waits for the probe, address:port; nil: there is none.
    public var sink: String?
    /// The sendmail(1) to use.
    public var sendmail: String?
    /// Seconds until the probe has to be recorded, and to have arrived at the sink.
    public var wait = 30

    public init() {}
}

/// Why there was nothing to test. `text` is one line with the remedy.
public struct SelftestFault: Error, Equatable, Sendable {
    public var text: String
    public var exitStatus: Int32 = 78
}
