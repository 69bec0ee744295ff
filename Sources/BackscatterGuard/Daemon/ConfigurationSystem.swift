// What the configuration asks of the machine: its name, its cores, its addresses, the text of a file. The C calls of this
// room's configuration are all here, each wrapped so that nothing unsafe leaves the function.

import Glibc
import Synchronization

/// Questions to the operating system.
enum ConfigurationSystem {
    /// The system's host name; "localhost" when it has none.
    static var hostname: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? "localhost" : name
    }

    /// Cores that are up, 1 at least.
    static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// A file's octets, or the system's word for why not.
    ///
    /// - Parameter limit: a larger file isn't read: it is not the file that was meant.
    static func contents(of path: String, limit: Int = 16 << 20) -> Result<Octets, ConfigurationReadError> {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(.system(errno)) }
        defer { close(descriptor) }
        var octets = Octets()
        var buffer = Octets(repeating: 0, count: 64 << 10)
        while octets.count <= limit {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count == 0 { return .success(octets) }
            if count < 0 {
                if errno == EINTR { continue }
                return .failure(.system(errno))
            }
            octets += buffer[..<count]
        }
        return .failure(.tooLarge(limit))
    }

    /// Why it can't be started, with the remedy; nil when it can.
    static func problem(withProgram path: String) -> String? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else {
            return "can't be found: \(ConfigurationReadError.system(errno)); write the absolute path of the program"
        }
        guard facts.st_mode & S_IFMT == S_IFREG else { return "is no file; write the absolute path of the program" }
        guard unsafe access(path, X_OK) == 0 else { return "can't be executed: \(ConfigurationReadError.system(errno)); make it executable for guardd's user" }
        return nil
    }

    /// A variable of the environment; nil when it is not there.
    static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// getpwnam(3) and getgrnam(3) answer in memory that all threads share.
    private static let accounts = Mutex(())

    /// The number of a group; nil when the system knows none of that name.
    static func group(_ name: String) -> UInt32? {
        accounts.withLock { _ in unsafe getgrnam(name)?.pointee.gr_gid }
    }

    /// An account by its name, else by its number; nil when the system knows neither.
    static func user(_ text: String) -> (name: String, uid: uid_t, gid: gid_t)? {
        accounts.withLock { _ in
            guard let entry = unsafe getpwnam(text) ?? uid_t(text).flatMap({ unsafe getpwuid($0) }) else { return nil }
            return unsafe (String(cString: entry.pointee.pw_name), entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
    }

    /// Whether a folder lets any other user pass to what lies below it.
    static func othersMayEnter(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & 0o011 != 0
    }

    /// Whether this process may name what lies in a folder.
    static func mayEnter(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}

/// Why a file couldn't be read.
enum ConfigurationReadError: Error, Equatable, CustomStringConvertible {
    case system(Int32)
    case tooLarge(Int)

    var description: String {
        switch self {
        case .system(let number): unsafe String(cString: strerror(number))
        case .tooLarge(let limit): "larger than \(limit >> 20) MiB"
        }
    }
}
