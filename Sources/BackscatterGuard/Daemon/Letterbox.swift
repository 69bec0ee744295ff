// Letters from other threads to one part of an event loop. The waker lives as long as somebody may still post.

import Synchronization

/// Posted to from any thread, emptied by a `LoopBell` of its waker.
final class Letterbox<Letter: Sendable>: Sendable {
    let waker: Waker
    private let letters = Mutex<[Letter]>([])

    init() throws(ReactorError) { waker = try Waker() }

    deinit { waker.close() }

    func post(_ letter: Letter) {
        let wasEmpty = letters.withLock { list in
            defer { list.append(letter) }
            return list.isEmpty
        }
        if wasEmpty { waker.wake() }
    }

    func take() -> [Letter] {
        letters.withLock { list in
            defer { list = [] }
            return list
        }
    }
}
