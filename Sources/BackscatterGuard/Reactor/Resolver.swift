// Names to addresses without blocking: evdns, with what /etc/hosts and /etc/resolv.conf say (NameLookup).

import CEvent
import Glibc

/// One running look-up; the callback comes exactly once unless `cancel()` was called first.
@safe public final class Resolution {
    private var answered: (([SocketAddress]) -> Void)?
    private var request: OpaquePointer?
    private let loop: EventLoop
    private let lookup: NameLookup?

    /// Looks `host` up for stream sockets.
    ///
    /// - Parameter answered: on the loop's thread, possibly before this initialiser returns; empty when there is no such name or no answer.
    public init(host: String, port: UInt16, loop: EventLoop, answered: @escaping ([SocketAddress]) -> Void) {
        self.answered = answered
        self.loop = loop
        lookup = try? loop.names.lookup(at: EventLoop.milliseconds())
        guard let lookup else {
            answer([])
            return
        }
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        unsafe request = lookup.ask(host, port, resolved, context)
    }

    fileprivate func finish(_ result: CInt, _ list: UnsafeMutablePointer<addrinfo>?) {
        unsafe request = nil
        lookup?.ended()
        var found: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next, found.count < 16 {
            if let address = unsafe entry.pointee.ai_addr {
                let bytes = unsafe UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen))
                found.append(SocketAddress(storage: unsafe Array(bytes)))
            }
            unsafe next = entry.pointee.ai_next
        }
        if let list = unsafe list { unsafe evutil_freeaddrinfo(list) }
        if result != 0, result != EVUTIL_EAI_CANCEL, let lookup { loop.names.failed(lookup) }
        answer(result == 0 ? found : [])
    }

    private func answer(_ addresses: [SocketAddress]) {
        let callback = answered
        answered = nil
        callback?(addresses)
    }

    /// The callback will not come any more.
    public func cancel() {
        answered = nil
        if let running = unsafe request { unsafe evdns_getaddrinfo_cancel(running) }
    }
}

private func resolved(_ result: CInt, _ list: UnsafeMutablePointer<addrinfo>?, _ context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let resolution = unsafe Unmanaged<Resolution>.fromOpaque(context).takeRetainedValue()
    unsafe resolution.finish(result, list)
}
