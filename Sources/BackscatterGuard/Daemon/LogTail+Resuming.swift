// A log is taken up again after a stop: files may have been renamed, copied, compressed and deleted meanwhile.

extension LogTail {
    func resume(_ position: LogPosition) {
        let names = LogSiblings.names(of: path)
        let plain = [path] + names.filter { !LogSiblings.isArchive($0) }
        let newest = FileIdentity(path: path)
        for place in position.places {
            if place.isNameless { losses.append("a file of \(path) had been deleted while it was still written") }
            if let file = LogTail.find(place, plain) {
                file.resume(at: place.offset, rewind: LogTail.rewind)
                file.isCopy = file.identity != newest && !LogTail.is(file.identity, place)
                files.append(file)
            } else if place.count > 0 {
                let lost = "\(path) was rotated away while guardd did not run, and is not to be found"
                searches.append(ArchiveSearch(place, of: path, rewind: LogTail.rewind, lost: lost))
            } else if let archive = names.lazy.filter(LogSiblings.isArchive).compactMap(ArchiveRest.init).first(where: { LogTail.is($0.identity, place) }) {
                archives.append(archive)
            } else {
                misses = "\(path) was rotated away while guardd did not run, and is not to be found"
            }
        }
        if !files.contains(where: { $0.identity == newest }) || misses != nil { missing = min(position.caughtUp &* 1_000_000_000, files.last?.modified ?? .max) }
    }

    private static func `is`(_ identity: FileIdentity, _ place: LogPosition.Place) -> Bool {
        identity.device == place.device && identity.inode == place.inode
    }

    /// The file itself, under whatever name, or else a copy of it.
    private static func find(_ place: LogPosition.Place, _ names: [String]) -> LogFile? {
        let candidates = names.compactMap(LogFile.init)
        let same = candidates.first { LogTail.is($0.identity, place) && $0.holds(place) }
        if let same { return same }
        return place.count > 0 ? candidates.first { $0.holds(place) } : nil
    }
}
