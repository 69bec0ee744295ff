// Incremental parsers must give the same result however TCP cuts their input.

@testable import BackscatterGuard

/// Calls `body` with the input whole, octet by octet, and cut in two at every place.
func everyDivision(_ input: Octets, _ body: ([Octets]) throws -> Void) rethrows {
    try body([input])
    try body(input.map { [$0] })
    for cut in 1..<max(1, input.count) {
        try body([Octets(input[..<cut]), Octets(input[cut...])])
    }
}

extension Array where Element == UInt8 {
    init(_ text: String) { self = Array(text.utf8) }
}
