// `fuzz TARGET [libFuzzer's arguments]`: runs one target under libFuzzer. A target gets octets and traps when the code
// under test breaks a promise; libFuzzer then keeps the octets as a file, which belongs into seeds/TARGET.

@testable import BackscatterGuard
import CFuzzer
import Glibc

@main
enum Fuzz {
    /// What can be fuzzed, by name; one folder of seeds each.
    static let targets: [(name: String, run: @Sendable (Octets) -> Void)] = [
        ("commands", fuzzCommands), ("framing", fuzzFraming), ("replies", fuzzReplies), ("notification", fuzzNotification),
        ("identity", fuzzIdentity), ("session", fuzzSession), ("milter", fuzzMilter), ("sentlog", fuzzSentLog),
    ]

    static func main() {
        // libFuzzer starts the program again for some tasks, without the first word: then the environment tells.
        let word = CommandLine.arguments.dropFirst().first
        guard let target = targets.first(where: { $0.name == word }) ?? inherited else {
            print("usage: fuzz TARGET [libFuzzer's arguments]\ntargets: \(targets.map(\.name).joined(separator: " "))")
            exit(64)
        }
        unsafe setenv(variable, target.name, 1)
        exit(drive(CommandLine.arguments.prefix(1) + CommandLine.arguments.dropFirst().drop { $0 == target.name }))
    }

    private static let variable = "FUZZ_TARGET"

    /// The target of the environment: the one that this process runs.
    static var inherited: (name: String, run: @Sendable (Octets) -> Void)? {
        guard let value = unsafe getenv(variable) else { return nil }
        let name = unsafe String(cString: value)
        return targets.first { $0.name == name }
    }

    private static func drive(_ arguments: ArraySlice<String>) -> CInt {
        var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        var count = unsafe CInt(words.count)
        unsafe words.append(nil)
        return unsafe words.withUnsafeMutableBufferPointer { buffer in
            var start = buffer.baseAddress
            return unsafe LLVMFuzzerRunDriver(&count, &start, runChosen)
        }
    }
}

private let chosen = Fuzz.inherited?.run

private func runChosen(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe chosen?(Octets(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Ends the process when a promise is broken, and says which.
func promise(_ holds: Bool, _ what: @autoclosure () -> String, line: UInt = #line, file: StaticString = #file) {
    if !holds { fatalError("broken: \(what())", file: file, line: line) }
}
