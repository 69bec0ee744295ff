// One open LMDB file: owner of the C environment and of a pool of read transactions, which are reset and renewed
// instead of begun anew. MDB_NOTLS binds a read transaction to itself instead of a thread, so any thread may take any.

import CLMDB
import Glibc
import Synchronization

/// An open file. `close` is idempotent; after it every call fails with MDB_PANIC.
@safe final class LMDBEnvironment: Sendable {
    private struct Readers {
        /// Reset transactions as bit patterns: pointers are not Sendable, and each stands here exactly once.
        var idle: [UInt] = []
        var running = 0
        var isClosed = false
    }

    private static let readerSlots: UInt32 = 1024

    private nonisolated(unsafe) let environment: OpaquePointer
    private let readers = Mutex(Readers())
    private let drained: Signal

    /// - Parameters:
    ///   - mapSize: address space, octets; a multiple of the page size.
    ///   - tables: most named tables that will be opened.
    init(file: String, mapSize: Int, tables: Int) throws(LMDBFailure) {
        guard let drained = Signal() else { throw LMDBFailure(code: EMFILE) }
        self.drained = drained
        var made: OpaquePointer?
        try LMDBFailure.check(unsafe mdb_env_create(&made))
        guard let made = unsafe made else { throw LMDBFailure(code: ENOMEM) }
        unsafe environment = made
        let flags = UInt32(MDB_NOSUBDIR | MDB_NOTLS)
        var code = unsafe mdb_env_set_mapsize(made, mapSize)
        if code == MDB_SUCCESS { code = unsafe mdb_env_set_maxdbs(made, UInt32(tables)) }
        if code == MDB_SUCCESS { code = unsafe mdb_env_set_maxreaders(made, LMDBEnvironment.readerSlots) }
        if code == MDB_SUCCESS { code = unsafe mdb_env_open(made, file, flags, 0o600) }
        if code != MDB_SUCCESS {
            readers.withLock { $0.isClosed = true }
            unsafe mdb_env_close(made)
            throw LMDBFailure(code: code)
        }
        // LMDB leaves this one of its descriptors open for programs that are started.
        var data: CInt = -1
        if unsafe mdb_env_get_fd(made, &data) == MDB_SUCCESS { _ = fcntl(data, F_SETFD, FD_CLOEXEC) }
    }

    deinit { close() }

    /// Waits for the readers that run, then closes. Must not be called from within `read` or `write`, nor beside `write`.
    func close() {
        let waits: Bool? = readers.withLock { state in
            if state.isClosed { return nil }
            state.isClosed = true
            return state.running > 0
        }
        guard let waits else { return }
        if waits { drained.wait() }
        readers.withLock { state in
            for bits in state.idle { unsafe mdb_txn_abort(OpaquePointer(bitPattern: bits)) }
            state.idle = []
        }
        unsafe mdb_env_close(environment)
    }

    /// Runs `body` on a consistent snapshot. Any thread, any number at once.
    func read<Value>(_ body: (LMDBTransaction) throws(LMDBFailure) -> Value) throws(LMDBFailure) -> Value {
        let transaction = unsafe try beginReading()
        let outcome = Result { () throws(LMDBFailure) in try body(unsafe LMDBTransaction(transaction)) }
        unsafe endReading(transaction)
        return try outcome.get()
    }

    /// Runs `body` and commits durably, or leaves everything as it was. Blocks while another thread or process writes.
    func write<Value>(_ body: (LMDBTransaction) throws(LMDBFailure) -> Value) throws(LMDBFailure) -> Value {
        guard readers.withLock({ !$0.isClosed }) else { throw LMDBFailure(code: MDB_PANIC) }
        var begun: OpaquePointer?
        try LMDBFailure.check(unsafe mdb_txn_begin(environment, nil, 0, &begun))
        guard let transaction = unsafe begun else { throw LMDBFailure(code: ENOMEM) }
        let value: Value
        do throws(LMDBFailure) {
            value = try body(unsafe LMDBTransaction(transaction))
        } catch {
            unsafe mdb_txn_abort(transaction)
            throw error
        }
        try LMDBFailure.check(unsafe mdb_txn_commit(transaction))
        return value
    }

    /// Frees the reader slots of processes that died; their snapshots would keep old pages from being reused.
    func clearDeadReaders() {
        var dead: CInt = 0
        unsafe _ = mdb_reader_check(environment, &dead)
    }

    /// Octets of the file that its newest state reaches to.
    var reach: Int {
        var information = unsafe MDB_envinfo()
        var statistics = MDB_stat()
        unsafe mdb_env_info(environment, &information)
        unsafe mdb_env_stat(environment, &statistics)
        return unsafe (information.me_last_pgno + 1) * Int(statistics.ms_psize)
    }

    private func beginReading() throws(LMDBFailure) -> OpaquePointer {
        let taken: UInt? = try takeIdle()
        if let taken, let transaction = unsafe OpaquePointer(bitPattern: taken) {
            let code = unsafe mdb_txn_renew(transaction)
            if code == MDB_SUCCESS { return unsafe transaction }
            unsafe mdb_txn_abort(transaction)
            countOut()
            throw LMDBFailure(code: code)
        }
        var begun: OpaquePointer?
        var code = unsafe mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun)
        if code == MDB_READERS_FULL {
            clearDeadReaders()
            code = unsafe mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun)
        }
        guard code == MDB_SUCCESS, let transaction = unsafe begun else {
            countOut()
            throw LMDBFailure(code: code == MDB_SUCCESS ? ENOMEM : code)
        }
        return unsafe transaction
    }

    /// Counts one more running reader.
    private func takeIdle() throws(LMDBFailure) -> UInt? {
        let (isClosed, idle): (Bool, UInt?) = readers.withLock { state in
            if state.isClosed { return (true, nil) }
            state.running += 1
            return (false, state.idle.popLast())
        }
        if isClosed { throw LMDBFailure(code: MDB_PANIC) }
        return idle
    }

    private func endReading(_ transaction: OpaquePointer) {
        unsafe mdb_txn_reset(transaction)
        let bits = UInt(bitPattern: transaction)
        readers.withLock { $0.idle.append(bits) }
        countOut()
    }

    private func countOut() {
        let isLast = readers.withLock { state in
            state.running -= 1
            return state.isClosed && state.running == 0
        }
        if isLast { drained.raise() }
    }
}
