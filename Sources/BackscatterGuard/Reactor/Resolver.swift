// Names to addresses without blocking: evdns, which reads /etc/hosts and /etc/resolv.conf.

import CEvent
import Glibc

/// One running look-up; the callback comes exactly once unless `cancel()` was called first.
@safe public final class Resolution {
    private var answered: (([SocketAddress]) -> Void)?
    private var request: OpaquePointer?

    /// Looks `host` up for stream sockets.
    ///
    /// - Parameter answered: on the loop's thread, possibly before this initialiser returns; empty when there is no such name or no answer.
    public init(host: String, port: UInt16, loop: EventLoop, answered: @escaping ([SocketAddress]) -> Void) {
        self.answered = answered
        guard let dns = try? unsafe loop.resolver() else {
            answer([])
            return
        }
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        unsafe hints.ai_protocol = CInt(IPPROTO_TCP)
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        unsafe request = evdns_getaddrinfo(dns, host, String(port), &hints, resolved, context)
    }

    fileprivate func finish(_ result: CInt, _ list: UnsafeMutablePointer<addrinfo>?) {
        unsafe request = nil
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
