// One LMDB transaction: typed calls over the C functions. LMDB's result codes become LMDBFailure here and nowhere else.

import CLMDB
import Glibc

/// A result code of LMDB, or an errno, that is not success.
struct LMDBFailure: Error, Sendable, Equatable {
    let code: CInt

    /// The file's content can't be trusted any more. A broken page near the root is told as MDB_BAD_TXN: LMDB marks the
    /// transaction when it meets the page, then stumbles over its own mark; we never go on with a marked one ourselves.
    var isDamage: Bool { [MDB_CORRUPTED, MDB_INVALID, MDB_PAGE_NOTFOUND, MDB_BAD_TXN].contains(code) }
    /// This process can't write through this environment any more; the file may be sound.
    var isPanic: Bool { [MDB_PANIC, MDB_MAP_RESIZED, MDB_BAD_RSLOT, MDB_BAD_DBI].contains(code) }
    var isFull: Bool { [MDB_MAP_FULL, ENOSPC, EDQUOT, EFBIG].contains(code) }

    var text: String { unsafe String(cString: mdb_strerror(code)) }

    func error(_ file: String) -> SentLogError {
        isFull || isShortWrite(file) ? .diskFull(file: file) : .failed(file: file, reason: text)
    }

    /// LMDB tells a write that ended early, which is how the first one on a full disk ends, as EIO.
    private func isShortWrite(_ file: String) -> Bool {
        var system = statvfs()
        guard code == EIO, unsafe statvfs(file, &system) == 0 else { return false }
        return system.f_bavail * UInt(system.f_frsize) < 1 << 20
    }

    /// - Throws: the failure that `code` tells.
    static func check(_ code: CInt) throws(LMDBFailure) {
        if code != MDB_SUCCESS { throw LMDBFailure(code: code) }
    }
}

/// A named table, opened once when the environment was.
struct LMDBTable: Sendable, Equatable {
    let handle: MDB_dbi
}

/// A running transaction. Only valid within the call that passed it.
@safe struct LMDBTransaction {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

    /// - Returns: the row of a key, copied; nil when there is none.
    func row(_ table: LMDBTable, _ key: Octets) throws(LMDBFailure) -> Octets? {
        var data = unsafe MDB_val()
        let code = unsafe key.withUnsafeBytes { bytes in
            var name = unsafe MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            return unsafe mdb_get(pointer, table.handle, &name, &data)
        }
        if code == MDB_NOTFOUND { return nil }
        try LMDBFailure.check(code)
        return unsafe Octets(UnsafeRawBufferPointer(start: data.mv_data, count: data.mv_size))
    }

    /// Writes a row, in place of the one that the key had.
    func put(_ table: LMDBTable, _ key: Octets, _ row: Octets) throws(LMDBFailure) {
        let code = unsafe key.withUnsafeBytes { keyBytes in
            unsafe row.withUnsafeBytes { rowBytes in
                var name = unsafe MDB_val(mv_size: keyBytes.count, mv_data: UnsafeMutableRawPointer(mutating: keyBytes.baseAddress))
                var data = unsafe MDB_val(mv_size: rowBytes.count, mv_data: UnsafeMutableRawPointer(mutating: rowBytes.baseAddress))
                return unsafe mdb_put(pointer, table.handle, &name, &data, 0)
            }
        }
        try LMDBFailure.check(code)
    }

    /// Removes the row of a key, if there is one.
    func remove(_ table: LMDBTable, _ key: Octets) throws(LMDBFailure) {
        let code = unsafe key.withUnsafeBytes { bytes in
            var name = unsafe MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            return unsafe mdb_del(pointer, table.handle, &name, nil)
        }
        if code != MDB_NOTFOUND { try LMDBFailure.check(code) }
    }

    /// Opens, making it when missing, a named table. Legal only in a write transaction that no reader runs beside.
    func openTable(_ name: String) throws(LMDBFailure) -> LMDBTable {
        var handle: MDB_dbi = 0
        try LMDBFailure.check(unsafe mdb_dbi_open(pointer, name, UInt32(MDB_CREATE), &handle))
        return LMDBTable(handle: handle)
    }

    /// Removes all rows; the table stays.
    func empty(_ table: LMDBTable) throws(LMDBFailure) {
        try LMDBFailure.check(unsafe mdb_drop(pointer, table.handle, 0))
    }

    func rowCount(_ table: LMDBTable) throws(LMDBFailure) -> Int {
        var statistics = MDB_stat()
        try LMDBFailure.check(unsafe mdb_stat(pointer, table.handle, &statistics))
        return statistics.ms_entries
    }
}
