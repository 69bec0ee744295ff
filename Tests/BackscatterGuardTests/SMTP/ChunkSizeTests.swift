import Testing
@testable import BackscatterGuard

@Suite("RFC 3030 2: BDAT") struct ChunkSizeTests {
    @Test(arguments: [
        ("BDAT 0", 0, false), ("bdat 5 LAST", 5, true), ("BDAT 5 last ", 5, true), ("BDAT 5\t", 5, false), ("BDAT 0005", 5, false),
        ("BDAT 9223372036854775807", Int.max, false), ("BDAT 0 LaSt", 0, true),
    ])
    func read(_ line: String, _ size: Int, _ isLast: Bool) throws {
        let chunk = try #require(ChunkSize.parse(Octets(line)))
        #expect(chunk.size == size && chunk.isLast == isLast)
    }

    @Test(arguments: [
        "BDAT", "BDAT ", "BDAT LAST", "BDAT -1", "BDAT +5", "BDAT 0x10", "BDAT 5x", "BDAT 5 LAST x", "BDAT 5 LASTX", "BDAT 5 x", "BDAT 5LAST",
        "BDAT  5", "BDAT 5  LAST", "BDAT\t5", "BDAT 5\tLAST", "BDAT 9223372036854775808", "BDAT 18446744073709551617", "BDAT 00000000000000000005",
        "BDAT 5.0", "BDAT 5,0", "BDAT 5\0", "BDAT 5 LAST\0", "BDAT 5 5", "DATA 5", "",
    ])
    func refused(_ line: String) {
        #expect(ChunkSize.parse(Octets(line)) == nil)
    }
}
