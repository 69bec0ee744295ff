// What libevent has to say (a name server that does not answer, a system call that failed) goes where its user wants it;
// left alone it would write to standard error, whatever the log is.

import CEvent
import Glibc
import Synchronization

/// Who hears libevent's messages. For the whole process; any thread.
public enum ReactorLog {
    /// - Parameter text: one message, not washed. May not call libevent.
    public typealias Listener = @Sendable (_ isWarning: Bool, _ text: String) -> Void

    private static let listener = Mutex<Listener?>(nil)

    /// From now on; nil, as at first: nobody hears them.
    public static func listen(_ new: Listener?) {
        begin()
        listener.withLock { $0 = new }
    }

    /// libevent is silent by itself from here on.
    static func begin() { _ = isSet }

    /// Once for the process: libevent keeps it without a lock.
    private static let isSet: Bool = {
        unsafe event_set_log_callback(libeventSaid)
        return true
    }()

    fileprivate static func say(_ severity: CInt, _ text: String) {
        let listening = listener.withLock { $0 }
        listening?(severity >= EVENT_LOG_WARN, text)
    }
}

private func libeventSaid(_ severity: CInt, _ message: UnsafePointer<CChar>?) {
    guard severity > EVENT_LOG_DEBUG, let message = unsafe message else { return }
    let text = unsafe String(cString: message)
    // The process ends here: there will be nobody to write a line that waits.
    if severity >= EVENT_LOG_ERR {
        let line = Array("guardd: libevent: \(text)\n".utf8)
        _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
    ReactorLog.say(severity, text)
}
