/// Reads the evidence out of a notification's content while it streams past.
public struct NotificationReader: Sendable {
    public private(set) var evidence = Evidence()
    public var originalIDCount: Int { evidence.originalMessageIDs.count }

    public init() {}

    /// The next octets of content, dots unstuffed, in any division.
    public mutating func read(_ content: Span<UInt8>) {}

    /// The content has ended.
    public mutating func finish() {}
}
