// Faults that the operator of the site has to mend, and what is told to whoever wanted to record meanwhile.

/// Why the sent log can't be opened or can't record. `text` is one line: the file, what is wrong, what to do.
public enum SentLogError: Error, Sendable, Equatable {
    /// A log exists, its key does not: without it nothing in the log can be found.
    case keyMissing(file: String, log: String)
    /// The key is another than the one the log was made with.
    case keyMismatch(file: String, log: String)
    /// Others than the owner may read the key; `mode` is the file's permission bits.
    case keyExposed(file: String, mode: UInt32)
    case keyMalformed(file: String)
    /// root would leave files behind that the owner of the directory, `uid`, can't open.
    case wrongUser(directory: String, uid: UInt32)
    /// The file was made by a format or LMDB version that this program does not read.
    case otherFormat(file: String)
    /// The file is damaged, and another process still has it open.
    case damagedInUse(file: String)
    /// There is no log in the directory, and none is to be begun.
    case noLog(directory: String)
    case cannotOpen(file: String, reason: String)
    /// A file to import is not what it was taken for; the reason says what to do.
    case unreadable(file: String, reason: String)
    case settings(String)
    case diskFull(file: String)
    /// Reading or writing failed for another reason, told by LMDB or the system.
    case failed(file: String, reason: String)
    /// More is waiting for the disk than the queue takes.
    case queueFull(limit: Int)
    case closed

    /// The fault lies in files or settings and lasts until somebody mends it: exit status 78.
    public var isOperatorFault: Bool {
        switch self {
        case .diskFull, .failed, .queueFull, .closed: false
        default: true
        }
    }

    /// It is about one of the files that were to be read, and not about the log.
    public var isOfInput: Bool {
        switch self {
        case .cannotOpen, .unreadable: true
        default: false
        }
    }

    public var text: String {
        switch self {
        case .keyMissing(let file, let log):
            "\(file): the key of \(log) is missing: restore it from a backup, or move the log away so that a new one is begun"
        case .keyMismatch(let file, let log):
            "\(file): not the key that \(log) was made with: restore that key, or move the log away so that a new one is begun"
        case .keyExposed(let file, let mode):
            "\(file): the key may be used by others than its owner (mode \(String(mode, radix: 8))): chmod 600 it"
        case .keyMalformed(let file):
            "\(file): not a key of guardd (64 hexadecimal digits): restore it from a backup"
        case .wrongUser(let directory, let uid):
            "\(directory): belongs to uid \(uid): run this as that user (sudo -u '#\(uid)' guardd …)"
        case .otherFormat(let file):
            "\(file): made by another version of guardd or LMDB: move it away so that a new one is begun, or use that version"
        case .damagedInUse(let file):
            "\(file): damaged, and in use by another process: restart guardd, which moves it aside"
        case .noLog(let directory):
            "\(directory): no sent log here: give the state directory of guardd, or record something first"
        case .cannotOpen(let file, let reason):
            "\(file): \(reason): mend the path or its permissions"
        case .unreadable(let file, let reason):
            "\(file): \(reason)"
        case .settings(let reason): reason
        case .diskFull(let file):
            "\(file): no room left to record outgoing mail: make room on that file system"
        case .failed(let file, let reason):
            "\(file): \(reason)"
        case .queueFull(let limit):
            "sent log: \(limit) entries are waiting for the disk: it is too slow or hangs"
        case .closed:
            "sent log: closed"
        }
    }
}

extension SentLogError: CustomStringConvertible {
    public var description: String { text }
}
