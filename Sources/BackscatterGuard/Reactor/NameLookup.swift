// evdns reads /etc/hosts and /etc/resolv.conf when it is made, and never again. guardd lives for months and may start before
// the network does, so one that is out of date is replaced: when a file has changed, at a reload, and after look-ups that
// failed. Questions that the old one is asked go on there; it is given back when they are over.

import CEvent
import Glibc

/// evdns with the settings of one moment; owns the C object.
@safe final class NameLookup {
    private var made: OpaquePointer?
    /// Questions without an answer.
    fileprivate(set) var running = 0
    /// Nothing was running at the last tick: callbacks that were put off have been called since.
    fileprivate var isIdle = false

    fileprivate init(base: OpaquePointer, _ files: NameFiles) throws(ReactorError) {
        guard let made = unsafe evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE) else { throw .outOfMemory }
        unsafe self.made = made
        // What can't be read: libevent asks the name server of this machine, as resolv.conf(5) has it.
        unsafe evdns_base_resolv_conf_parse(made, DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC, files.settings)
        unsafe evdns_base_load_hosts(made, files.hosts)
    }

    /// Asks for stream sockets. The callback comes once, perhaps before this returns.
    ///
    /// - Returns: nil when it has come.
    func ask(_ host: String, _ port: UInt16, _ called: evdns_getaddrinfo_cb, _ context: UnsafeMutableRawPointer) -> OpaquePointer? {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        unsafe hints.ai_protocol = CInt(IPPROTO_TCP)
        running += 1
        return unsafe evdns_getaddrinfo(made, host, String(port), &hints, called, context)
    }

    /// A callback has come.
    func ended() { running -= 1 }

    /// Idempotent. Not within a callback of its own.
    fileprivate func close() {
        guard let old = unsafe made else { return }
        unsafe made = nil
        unsafe evdns_base_free(old, 0)
    }
}

/// The files that tell how names are looked up.
struct NameFiles: Equatable {
    var hosts = "/etc/hosts"
    var settings = "/etc/resolv.conf"

    /// What changes when a file is written or replaced.
    struct Stamp: Equatable {
        private let parts: [Int64]

        init(_ files: NameFiles) {
            parts = [files.hosts, files.settings].flatMap { path -> [Int64] in
                var status = stat()
                guard unsafe stat(path, &status) == 0 else { return [-1] }
                return [
                    Int64(bitPattern: UInt64(status.st_dev)), Int64(bitPattern: UInt64(status.st_ino)), Int64(status.st_size),
                    Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec), Int64(status.st_ctim.tv_sec), Int64(status.st_ctim.tv_nsec),
                ]
            }
        }
    }
}

/// The look-up of one loop, and those before it that are still asked something.
@safe final class NameLookups {
    /// Milliseconds between two looks at the files, and between two replacements after failures.
    static let glance: Int64 = 1_000
    static let retry: Int64 = 10_000

    private let base: OpaquePointer
    private let files: NameFiles
    private var current: NameLookup?
    private var old: [NameLookup] = []
    private var stamp: NameFiles.Stamp
    private var lookedAt: Int64 = 0
    private var madeAt: Int64 = 0
    private var hasFailed = false

    init(base: OpaquePointer, files: NameFiles = NameFiles()) {
        unsafe self.base = base
        self.files = files
        stamp = NameFiles.Stamp(files)
    }

    /// Those before the current one that are not given back yet.
    var oldCount: Int { old.count }

    /// - Parameter now: milliseconds of the monotonic clock.
    func lookup(at now: Int64) throws(ReactorError) -> NameLookup {
        if now >= lookedAt + NameLookups.glance {
            lookedAt = now
            let found = NameFiles.Stamp(files)
            if found != stamp || hasFailed && now >= madeAt + NameLookups.retry { forget() }
            stamp = found
        }
        if let current { return current }
        let made = unsafe try NameLookup(base: base, files)
        (current, madeAt, hasFailed) = (made, now, false)
        return made
    }

    /// A look-up found nothing.
    func failed(_ lookup: NameLookup) { if lookup === current { hasFailed = true } }

    /// The files are read anew before the next look-up.
    func forget() {
        if let current { old.append(current) }
        current = nil
    }

    /// Every second, not within a callback of evdns.
    func tick() {
        guard !old.isEmpty else { return }
        for lookup in old {
            if lookup.running == 0, lookup.isIdle { lookup.close() }
            lookup.isIdle = lookup.running == 0
        }
        old.removeAll { $0.isClosed }
    }

    func close() {
        forget()
        for lookup in old { lookup.close() }
        old = []
    }
}

extension NameLookup {
    fileprivate var isClosed: Bool { unsafe made == nil }
}
