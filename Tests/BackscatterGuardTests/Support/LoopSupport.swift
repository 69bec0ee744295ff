// An event loop of a test's own, and a socket on it that keeps what it hears.

import Glibc
import Testing
@testable import BackscatterGuard

extension EventLoop {
    /// Runs until `stop()`; a test that waits in vain fails after a minute.
    func runBounded(at location: SourceLocation = #_sourceLocation) {
        var ticks = 0
        let before = ticked
        ticked = { [unowned self] in
            before()
            ticks += 1
            guard ticks > 60 else { return }
            Issue.record("nothing has stopped the loop", sourceLocation: location)
            stop()
        }
        run()
        ticked = before
    }
}

/// Keeps octets and failures; `changed` is called after each event.
final class HearingSocket: Socket {
    var heard: Octets = []
    var hasEnded = false
    var failure: CInt?
    var changed: () -> Void = {}
    private let wantsLastWords: Bool

    init(_ descriptor: CInt, loop: EventLoop, hearsLastWords: Bool = true) throws {
        wantsLastWords = hearsLastWords
        try super.init(descriptor: descriptor, loop: loop)
    }

    var text: String { String(decoding: heard, as: UTF8.self) }

    override var hearsLastWords: Bool { wantsLastWords }

    override func received(_ octets: Span<UInt8>) {
        heard.append(octets)
        changed()
    }

    override func ended() {
        hasEnded = true
        changed()
    }

    override func failed(_ number: CInt) {
        failure = number
        changed()
    }
}
