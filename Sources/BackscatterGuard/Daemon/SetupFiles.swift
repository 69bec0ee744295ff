// Files of a mail server that are changed so that they can be as before: what was there and what was put there are kept
// in a folder beside them, guardd-setup. They are taken back only if nobody has changed them since. A file that was not
// there is nil, and is removed again.

import Glibc

struct SetupFiles {
    let folder: String
    let names: [String]

    /// Where the copies are: NAME.before (or NAME.absent) and NAME.after, a slash of the name written as _.
    var store: String { "\(folder)/guardd-setup" }

    enum Kept: Equatable { case none, before, after, changed(String) }

    func octets(_ name: String) throws(SetupError) -> Octets { try SetupFiles.read("\(folder)/\(name)") }

    /// nil: it is not there.
    func present(_ name: String) throws(SetupError) -> Octets? {
        ConfigurationSystem.exists("\(folder)/\(name)") ? try octets(name) : nil
    }

    private func copy(_ name: String, _ kind: String) -> String { "\(store)/\(name.split(separator: "/").joined(separator: "_")).\(kind)" }

    static func read(_ path: String) throws(SetupError) -> Octets {
        switch ConfigurationSystem.contents(of: path) {
        case .success(let octets): return octets
        case .failure(let error): throw SetupError("\(path) can't be read: \(error)")
        }
    }

    /// What the files are, against the copies.
    func state() throws(SetupError) -> Kept {
        guard ConfigurationSystem.exists(store) else { return .none }
        var isBefore = true
        for name in names {
            let present = try present(name)
            // A copy that a crash left unwritten: then the file itself was not touched yet.
            guard let before = try kept(name) else { return .none }
            let after = ConfigurationSystem.exists(copy(name, "after")) ? try SetupFiles.read(copy(name, "after")) : before
            if present != before { isBefore = false }
            if present != after, present != before { return .changed(name) }
        }
        return isBefore ? .before : .after
    }

    /// What a file was before; nil: it is not known, nil within: there was none.
    private func kept(_ name: String) throws(SetupError) -> Octets?? {
        if ConfigurationSystem.exists(copy(name, "before")) { return .some(try SetupFiles.read(copy(name, "before"))) }
        return ConfigurationSystem.exists(copy(name, "absent")) ? .some(nil) : nil
    }

    /// Puts contents in place, the copies first. `expected`: what the files must still be.
    ///
    /// - Returns: whether anything is different now.
    func apply(_ contents: [Octets?], expected: [Octets?]) throws(SetupError) -> Bool {
        guard contents != expected else { return false }
        let kept = try state()
        if case .changed(let name) = kept {
            throw SetupError("""
                \(folder)/\(name) was changed by hand since the last --apply, so what to go back to is not clear; if the files as they are now are to be \
                that: rm -r \(store)
                """)
        }
        try check(expected)
        if unsafe mkdir(store, 0o700) != 0, errno != EEXIST { throw SetupError("\(store) can't be made: \(systemReason())") }
        for (index, name) in names.enumerated() {
            if kept == .none {
                let (kind, other) = expected[index] == nil ? ("absent", "before") : ("before", "absent")
                // What a crash left.
                unsafe unlink(copy(name, other))
                try SetupFiles.write(expected[index] ?? [], to: copy(name, kind), like: "\(folder)/\(name)")
            }
            if let octets = contents[index] { try SetupFiles.write(octets, to: copy(name, "after"), like: "\(folder)/\(name)") }
        }
        try check(expected)
        try put(contents)
        return true
    }

    /// Makes the files these, and nothing else.
    func put(_ contents: [Octets?]) throws(SetupError) {
        for (index, name) in names.enumerated() {
            let path = "\(folder)/\(name)"
            if let octets = contents[index] {
                try SetupFiles.write(octets, to: path, like: path)
            } else if unsafe unlink(path) != 0, errno != ENOENT {
                throw SetupError("\(path) can't be removed: \(systemReason())")
            }
        }
    }

    /// After an `apply` that turned out to be wrong: the files as they were just before it, and the copies too.
    ///
    /// - Parameter kept: what `state` said then.
    func revert(to contents: [Octets?], _ kept: Kept) throws(SetupError) {
        try put(contents)
        guard kept != .none else { return try undo() }
        for (index, name) in names.enumerated() {
            if let octets = contents[index] {
                try SetupFiles.write(octets, to: copy(name, "after"), like: "\(folder)/\(name)")
            } else {
                unsafe unlink(copy(name, "after"))
            }
        }
    }

    private func check(_ expected: [Octets?]) throws(SetupError) {
        for (index, name) in names.enumerated() {
            guard try present(name) == expected[index] else { throw SetupError("\(folder)/\(name) is being changed by somebody else; try again") }
        }
    }

    /// The files as they were before the first `apply`, octet for octet.
    func undo() throws(SetupError) {
        switch try state() {
        case .none: throw SetupError("nothing was applied in \(folder): there is no \(store)")
        case .changed(let name):
            throw SetupError("""
                \(folder)/\(name) was changed since; not touched. What was put in: diff -u \(copy(name, "before")) \(copy(name, "after")) ; what it \
                was: \(copy(name, "before")). Take it back by hand, then: rm -r \(store)
                """)
        case .before, .after: break
        }
        var before: [Octets?] = []
        for name in names { before.append(try kept(name) ?? nil) }
        try put(before)
        for name in names {
            for kind in ["before", "absent", "after"] { unsafe unlink(copy(name, kind)) }
        }
        unsafe rmdir(store)
    }

    /// Replaces a file as a whole, durably, with owner and mode of `model`. A symbolic link stays one.
    static func write(_ octets: Octets, to path: String, like model: String) throws(SetupError) {
        let path = resolved(path) ?? path
        let draft = path + ".guardd-new"
        var facts = stat()
        let isKnown = unsafe stat(model, &facts) == 0
        guard let file = Descriptor(draft, O_WRONLY | O_CREAT | O_TRUNC), !isKnown || fchown(file.number, facts.st_uid, facts.st_gid) == 0,
            fchmod(file.number, isKnown ? facts.st_mode & 0o7777 : 0o644) == 0, file.writeDurably(octets), unsafe rename(draft, path) == 0
        else {
            let reason = systemReason()
            unsafe unlink(draft)
            throw SetupError("\(path) can't be written: \(reason)")
        }
        _ = Descriptor.syncDirectory(path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ".")
    }

    private static func resolved(_ path: String) -> String? {
        guard let text = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}
