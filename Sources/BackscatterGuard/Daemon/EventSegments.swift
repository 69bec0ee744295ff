// The files of the event store: lines of JSON, appended to one file until it is large or old, then to the next. The oldest
// go when all together are too large, or too old. A crash may leave a line without its end: readers pass it over, and the
// next writer begins a new line.

import Glibc

/// Writes the files. Used by one thread.
///
/// A file is locked by who writes to it: two guardds that run side by side during a restart write to one each.
final class EventSegments {
    /// What the system does for it; tests put something else here.
    struct Calls: Sendable {
        var write: @Sendable (CInt, Octets) -> Int = { unsafe Glibc.write($0, $1, $1.count) }
        var sync: @Sendable (CInt) -> CInt = { fdatasync($0) }
    }

    /// How much of the lines is in the file, in whole lines, and what went wrong.
    struct Outcome: Equatable {
        var written: Int
        var fault: String?
    }

    private let settings: EventSettings
    private let calls: Calls
    private var file: Descriptor?
    private var name = ""
    private var size = 0
    private var begun: Int64 = 0
    /// The file's last line may have no end.
    private var isTorn = false
    private var expired = Int64.min / 2

    init(_ settings: EventSettings, calls: Calls = Calls()) {
        (self.settings, self.calls) = (settings, calls)
    }

    /// Opens the file that is to be written, so that what is wrong is told at the start and not at the first event.
    func prepare(at now: Int64) -> Outcome { Outcome(written: 0, fault: open(at: now)) }

    /// Appends whole lines and has them on disk before it returns.
    func append(_ lines: Octets, at now: Int64) -> Outcome {
        if file == nil || size >= settings.segmentSize || now - begun >= settings.segmentAge || now < begun {
            if let fault = open(at: now) { return Outcome(written: 0, fault: fault) }
            expire(at: now)
        } else if now - expired >= 3_600 {
            expire(at: now)
        }
        let number = file?.number ?? -1
        let head: Octets = isTorn ? [ASCII.lf] : []
        let octets = head + lines
        var sent = 0
        while sent < octets.count {
            let count = calls.write(number, Octets(octets[sent...]))
            if count > 0 { sent += count } else if count < 0, errno == EINTR { continue } else { break }
        }
        let reason = sent < octets.count ? systemReason() : nil
        size += sent
        if sent > 0 { isTorn = octets[sent - 1] != ASCII.lf }
        let whole = octets[..<sent].lastIndex(of: ASCII.lf).map { $0 + 1 } ?? 0
        let written = max(0, whole - head.count)
        if let reason { return Outcome(written: written, fault: "\(path(name)): \(reason)") }
        return Outcome(written: written, fault: calls.sync(number) == 0 ? nil : "\(path(name)): \(systemReason())")
    }

    private func path(_ name: String) -> String { settings.folder + "/" + name }

    /// Goes on with the newest file if nobody else does and it has room, else begins one.
    ///
    /// - Returns: why it could not.
    private func open(at now: Int64) -> String? {
        if file == nil {
            if unsafe mkdir(settings.folder, 0o700) != 0, errno != EEXIST { return "\(settings.folder): \(systemReason())" }
            if let newest = EventFiles.names(in: settings.folder).last, resume(newest, at: now) { return nil }
        }
        file = nil
        for attempt in 0..<1_000 {
            let name = EventFiles.name(begun: now, attempt)
            guard let new = Descriptor(path(name), O_WRONLY | O_CREAT | O_EXCL | O_APPEND) else {
                if errno == EEXIST { continue }
                return "\(path(name)): \(systemReason())"
            }
            _ = new.lock(.exclusiveIfFree)
            (self.name, size, begun, isTorn) = (name, 0, now, false)
            file = consume new
            return nil
        }
        return "\(settings.folder): no free name"
    }

    private func resume(_ name: String, at now: Int64) -> Bool {
        guard let begun = EventFiles.begun(name), now >= begun, now - begun < settings.segmentAge,
              let old = Descriptor(path(name), O_RDWR | O_APPEND | O_NOFOLLOW), old.lock(.exclusiveIfFree)
        else { return false }
        let size = Int(old.status.st_size)
        guard size < settings.segmentSize else { return false }
        isTorn = size > 0 && old.read(1, from: size - 1) != [ASCII.lf]
        (self.name, self.size, self.begun) = (name, size, begun)
        file = consume old
        return true
    }

    /// Removes what is too old, and the oldest while all together are too large; never the one that is written.
    private func expire(at now: Int64) {
        expired = now
        let files = EventFiles.names(in: settings.folder).compactMap { name -> (name: String, size: Int, end: Int64)? in
            var status = stat()
            guard unsafe lstat(path(name), &status) == 0 else { return nil }
            return (name, Int(status.st_size), Int64(status.st_mtim.tv_sec))
        }
        // What is written now may grow to a whole one.
        var total = files.reduce(settings.segmentSize) { $0 + ($1.name == name ? 0 : $1.size) }
        for file in files where file.name != name && (total > settings.size || file.end < now - settings.retention) {
            if unsafe unlink(path(file.name)) == 0 { total -= file.size }
        }
    }

    func close() { file = nil }
}
