// `guardd record` for users to whom the log is closed: the same input, recorded by the daemon.

extension SentRecorder {
    /// Milliseconds that the daemon has for a group of entries.
    private static let deadline: Int64 = 60_000

    /// - Parameter controlSocket: path of the daemon's socket.
    public init(controlSocket: String, complain: @escaping (String) -> Void, acknowledge: @escaping (Int) -> Void = { _ in }) {
        self.init(complain: complain, acknowledge: acknowledge) { entries throws(SentLogError) in
            var lines = entries.flatMap(RecordLine.lines)[...]
            do throws(ControlClient.Failure) {
                var client = try ControlClient(controlSocket, deadline: SentRecorder.deadline)
                while !lines.isEmpty {
                    try client.say(Array(lines.prefix(ControlClient.group)))
                    lines = lines.dropFirst(ControlClient.group)
                }
            } catch {
                throw .failed(file: "control socket", reason: error.text)
            }
        }
    }
}
