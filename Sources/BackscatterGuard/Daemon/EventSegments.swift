// The files of the event store: lines of JSON, appended to one file until it is large or old, then to the next. The oldest
// go when all together are too large, or too old. A crash may leave a line without its end: readers pass it over, and the
// next writer begins a new line.

import Glibc

/// Writes the files. Used by one thread.
///
/// Two guardds that run side by side during a restart write to the same file: lines go in by one write with O_APPEND, so they
/// don't mix.
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
    private var begun: Int64 = 0
    private var expired = Int64.min / 2

    init(_ settings: EventSettings, calls: Calls = Calls()) {
        (self.settings, self.calls) = (settings, calls)
    }

    /// Opens the file that is to be written, so that what is wrong is told at the start and not at the first event.
    func prepare(at now: Int64) -> Outcome { Outcome(written: 0, fault: open(at: now)) }

    /// Appends whole lines and has them on disk before it returns.
    func append(_ lines: Octets, at now: Int64) -> Outcome {
        if !isGood(at: now) {
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
        let whole = octets[..<sent].lastIndex(of: ASCII.lf).map { $0 + 1 } ?? 0
        let written = max(0, whole - head.count)
        if let reason { return Outcome(written: written, fault: "\(path(name)): \(reason)") }
        return Outcome(written: written, fault: calls.sync(number) == 0 ? nil : "\(path(name)): \(systemReason())")
    }

    /// Forgets what is too old where nothing new comes.
    func keep(at now: Int64) {
        if !isGood(at: now) { close() }
        expire(at: now)
    }

    /// The file goes on: it is neither large nor old, and nobody has removed it.
    private func isGood(at now: Int64) -> Bool {
        guard let status = file?.status else { return false }
        return status.st_nlink > 0 && Int(status.st_size) < settings.segmentSize && now >= begun && now - begun < settings.segmentAge
    }

    /// The file's last line has no end: somebody crashed, or the disk was full.
    private var isTorn: Bool {
        guard let size = file?.status.st_size, size > 0 else { return false }
        return file?.read(1, from: Int(size) - 1) != [ASCII.lf]
    }

    private func path(_ name: String) -> String { settings.folder + "/" + name }

    /// Goes on with the newest file if it has room, else begins one.
    ///
    /// - Returns: why it could not.
    private func open(at now: Int64) -> String? {
        file = nil
        if unsafe mkdir(settings.folder, 0o700) != 0, errno != EEXIST { return "\(settings.folder): \(systemReason())" }
        if let newest = EventFiles.names(in: settings.folder).last, resume(newest, at: now) { return nil }
        for attempt in 0..<1_000 {
            let name = EventFiles.name(begun: now, attempt)
            guard let new = Descriptor(path(name), O_RDWR | O_CREAT | O_EXCL | O_APPEND) else {
                if errno != EEXIST { return "\(path(name)): \(systemReason())" }
                // Another guardd has just begun it, perhaps.
                if resume(name, at: now) { return nil }
                continue
            }
            (self.name, begun) = (name, now)
            file = consume new
            return nil
        }
        return "\(settings.folder): no free name"
    }

    private func resume(_ name: String, at now: Int64) -> Bool {
        guard let begun = EventFiles.begun(name), let old = Descriptor(path(name), O_RDWR | O_APPEND | O_NOFOLLOW) else { return false }
        (self.name, self.begun) = (name, begun)
        file = consume old
        if isGood(at: now) { return true }
        file = nil
        return false
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

    func close() {
        file = nil
        name = ""
    }
}
