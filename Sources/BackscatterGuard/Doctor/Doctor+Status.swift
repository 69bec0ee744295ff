// What a running guardd says of itself at its status socket.

extension Doctor {
    /// Milliseconds for its answer.
    private static let statusPatience: Int64 = 2_000

    /// Without a line in the configuration there is a socket only where systemd gives it a folder: that nobody is there is no fault.
    var statusFindings: [Finding] {
        guard let path = configuration.statusPath else { return [] }
        let isWanted = configuration.statusPlace?.isWritten == true
        do throws(StatusClientError) {
            let client = StatusClient(path: path)
            _ = try client.document(of: configuration, within: deadline.within(Doctor.statusPatience).left)
            let answer = try client.get("/readyz", within: deadline.within(Doctor.statusPatience).left)
            if answer.status == 200 { return [Finding(.ports, .ok, "\(path): guardd answers at its status socket, and is ready")] }
            return answer.body.split(separator: ASCII.lf).map { line in
                Finding(.ports, .error, "guardd is not ready: \(ASCII.washed(line, limit: 400))", remedy: "see the same among upstream and sent log below, and guardd's log")
            }
        } catch {
            switch error {
            case .another: return [Finding(.ports, .warning, error.text, remedy: "two guardds with one state_dir need a status_socket each")]
            case .denied: return isWanted ? [Finding(.ports, .unseen, error.text, remedy: Doctor.askRoot)] : []
            case .notRunning: return isWanted ? [Finding(.ports, .error, error.text, remedy: "restart guardd: a new status socket needs a start")] : []
            case .noAnswer: return [Finding(.ports, .error, error.text, remedy: "its main thread may hang: see its log, then restart it")]
            }
        }
    }
}
