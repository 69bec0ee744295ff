// Socket addresses as the kernel wants them: IPv4, IPv6 and Unix paths, built from and read into raw octets.

import CEvent
import Glibc

/// Where a listener binds or an upstream is dialled.
public struct SocketAddress: Sendable, Hashable {
    var storage: [UInt8]

    public static func ipv4(_ octets: [UInt8], port: UInt16) -> SocketAddress {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &address.sin_addr) { unsafe $0.copyBytes(from: octets.prefix(4)) }
        return SocketAddress(storage: unsafe withUnsafeBytes(of: &address) { unsafe Array($0) })
    }

    public static func ipv6(_ octets: [UInt8], port: UInt16) -> SocketAddress {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0.copyBytes(from: octets.prefix(16)) }
        return SocketAddress(storage: unsafe withUnsafeBytes(of: &address) { unsafe Array($0) })
    }

    /// - Returns: nil when the path is empty or longer than the kernel's 107 octets.
    public static func unix(_ path: String) -> SocketAddress? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        guard !octets.isEmpty, octets.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: octets) }
        return SocketAddress(storage: unsafe withUnsafeBytes(of: &address) { unsafe Array($0) })
    }

    /// - Parameter path: of a Unix socket; `@` in the first place stands for the NUL of an abstract name (unix(7)).
    public static func unixOrAbstract(_ path: String) -> SocketAddress? {
        guard path.hasPrefix("@") else { return unix(path) }
        guard let address = unix(path) else { return nil }
        // The name ends where the address does, not with a NUL.
        var storage = Array(address.storage.prefix(MemoryLayout<sa_family_t>.size + path.utf8.count))
        storage[MemoryLayout<sa_family_t>.size] = 0
        return SocketAddress(storage: storage)
    }

    var family: CInt {
        guard storage.count > 1 else { return AF_UNSPEC }
        return CInt(UInt16(storage[0]) | UInt16(storage[1]) << 8)
    }

    /// The raw IPv4 (4 octets) or IPv6 (16 octets) address and the port; nil for a Unix path.
    public var internet: (octets: [UInt8], port: UInt16)? {
        switch family {
        case AF_INET where storage.count >= 8:
            (Array(storage[4..<8]), UInt16(storage[2]) << 8 | UInt16(storage[3]))
        case AF_INET6 where storage.count >= 24:
            (Array(storage[8..<24]), UInt16(storage[2]) << 8 | UInt16(storage[3]))
        default: nil
        }
    }

    /// The path of a Unix socket as bind(2) was given it; nil for any other, and for one without a path.
    public var unixPath: String? {
        guard family == AF_UNIX else { return nil }
        let path = storage.dropFirst(2).prefix { $0 != 0 }
        return path.isEmpty ? nil : String(decoding: path, as: UTF8.self)
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe storage.withUnsafeBytes { bytes in
            var copy = sockaddr_storage()
            unsafe withUnsafeMutableBytes(of: &copy) { unsafe $0.copyMemory(from: bytes) }
            return unsafe withUnsafePointer(to: &copy) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(bytes.count)) }
            }
        }
    }

    /// The kernel fills an address through `call`, which returns 0 on success.
    static func filled(by call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt) -> (result: CInt, address: SocketAddress) {
        var space = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &space) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call($0, &length) }
        }
        let bytes = unsafe withUnsafeBytes(of: &space) { unsafe Array($0.prefix(Int(length))) }
        return (result, SocketAddress(storage: bytes))
    }

    /// The address that the descriptor is bound to.
    public static func local(of descriptor: CInt) -> SocketAddress {
        unsafe filled { unsafe getsockname(descriptor, $0, $1) }.address
    }
}

extension SocketAddress {
    /// Begins to connect a new non-blocking socket.
    ///
    /// - Returns: the descriptor, connected or connecting; the caller owns it.
    public func connect() -> Result<CInt, ReactorError> {
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .failure(.system(call: "socket", errno: errno)) }
        if family != AF_UNIX { Listener.setOption(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY) }
        if unsafe withPointer({ unsafe Glibc.connect(descriptor, $0, $1) }) == 0 || errno == EINPROGRESS { return .success(descriptor) }
        let number = errno
        _ = Glibc.close(descriptor)
        return .failure(.system(call: "connect", errno: number))
    }
}
