// The first page of an LMDB file, as far as it tells a log from anything else that may lie under its name.

/// What stands in a meta page. Source: LMDB 0.9 mdb.c, MDB_page and MDB_meta, 64-bit little-endian.
struct LMDBHeader {
    static let size = 152
    private static let metaFlag: UInt16 = 0x08
    private static let magic: UInt32 = 0xBEEF_C0DE

    let version: UInt32

    /// nil when the octets are no meta page.
    init?(_ octets: Octets) {
        guard octets.count == LMDBHeader.size else { return nil }
        var reader = IntegerReader(octets)
        guard reader.next(UInt64.self) != nil, reader.next(UInt16.self) != nil,
            let flags = reader.next(UInt16.self), flags & LMDBHeader.metaFlag != 0, reader.next(UInt32.self) != nil,
            reader.next(UInt32.self) == LMDBHeader.magic, let version = reader.next(UInt32.self)
        else { return nil }
        self.version = version
    }
}
