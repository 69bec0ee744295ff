// CRC-32 as IEEE 802.3 has it (that of gzip): finds what a crash or a bad disk did to a file, not what a person did.

enum Checksum {
    /// - Complexity: linear, one table look-up an octet.
    static func crc32(_ octets: some Sequence<UInt8>) -> UInt32 {
        var sum = UInt32.max
        for octet in octets { sum = sum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ octet)] }
        return ~sum
    }

    private static let table: [UInt32] = (0..<256).map { start in
        (0..<8).reduce(UInt32(start)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
    }
}
