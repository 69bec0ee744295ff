// Taking out again what was never a mail: nobody but `guardd selftest` asks for it, for ids of its own making.

extension SentLogFile {
    /// Removes an id from every week; durable when this returns. Waits for others that write.
    ///
    /// - Parameter pair: name of a pair that goes as well.
    func forget(_ id: MessageID, pair: Octets?) throws(LMDBFailure) {
        let names = [key.hash(id: id).octets] + LoggedID.beginnings(of: id).map { key.hash(.idBeginning, $0).octets }
        try environment.write { transaction throws(LMDBFailure) in
            for slot in try tables.weeks(transaction).used {
                for name in names { try transaction.remove(tables.ids[slot], name) }
                if let pair { try transaction.remove(tables.pairs[slot], pair) }
            }
        }
        complete()
    }
}
