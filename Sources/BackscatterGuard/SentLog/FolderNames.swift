// Names in a directory, a bounded number of them.

import Glibc

enum FolderNames {
    /// - Returns: the first `limit` that the directory gives, without folders and names that begin with a dot; nil with errno
    ///   when it can't be read.
    static func first(_ limit: Int, in path: String) -> [String]? {
        guard let directory = unsafe opendir(path) else { return nil }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while names.count < limit, let item = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &item.pointee.d_name) { bytes in
                unsafe Octets(bytes.prefix { $0 != 0 })
            }
            // A name that is no UTF-8 can't be spelled in a String; none of guardd's is such.
            guard name.first != ASCII.dot, unsafe item.pointee.d_type != UInt8(DT_DIR), let text = String(validating: name, as: UTF8.self) else { continue }
            names.append(text)
        }
        return names
    }
}
