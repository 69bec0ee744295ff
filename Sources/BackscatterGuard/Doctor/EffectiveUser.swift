// The state directory belongs to the user that guardd serves as; root that writes there leaves files behind that guardd
// can't open. So what touches it is done as its owner, for a moment.

import Glibc

enum EffectiveUser {
    /// Runs `body` with the effective user and group of a directory's owner, if this is root; else, and where there is no such
    /// directory, as who this is. Not for a process with other threads that need root meanwhile: setresuid(2) is for all of them.
    static func ofOwner<Value, Failure: Error>(of directory: String, _ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        var status = stat()
        guard geteuid() == 0, unsafe stat(directory, &status) == 0, status.st_uid != 0 else { return try body() }
        let group = getegid()
        guard setegid(status.st_gid) == 0 else { return try body() }
        defer { _ = setegid(group) }
        guard seteuid(status.st_uid) == 0 else { return try body() }
        defer { _ = seteuid(0) }
        return try body()
    }
}
