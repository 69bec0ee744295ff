// Addresses as the configuration writes them: with a port, as a host name, as a path; and the question whether an
// upstream is guardd itself.

import Glibc

enum ConfigurationAddress {
    /// `192.0.2.1:25` or `[2001:db8::1]:25`.
    static func socket(_ text: String) -> PeerAddress? {
        guard let (host, port, isBracketed) = split(text), let address = PeerAddress(host, port: port) else { return nil }
        // A bare IPv6 address would leave open where the port begins.
        return isBracketed == host.utf8.contains(ASCII.colon) ? address : nil
    }

    /// `host:port`, `[IPv6]:port` or `unix:/path`.
    static func upstream(_ text: String) -> Configuration.Upstream? {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            // sockaddr_un holds 107 octets and a NUL.
            return path.hasPrefix("/") && path.utf8.count <= 107 ? .unix(path) : nil
        }
        if let address = socket(text) { return .address(address) }
        guard let (host, port, isBracketed) = split(text), !isBracketed, isHostName(host) else { return nil }
        return .host(host.lowercased(), port: port)
    }

    static func network(_ text: String) -> Network? { Network(text) }

    /// A name of letters, digits, hyphens and underscores; not an address.
    static func isHostName(_ text: String) -> Bool { text.utf8.first != ASCII.dot && DomainPattern(text.utf8) != nil }

    private static func split(_ text: String) -> (host: String, port: UInt16, isBracketed: Bool)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy(ASCII.isDigit), let port = UInt16(digits), port > 0 else { return nil }
        let host = text[..<colon]
        guard host.hasPrefix("["), host.hasSuffix("]") else { return host.contains("[") ? nil : (String(host), port, false) }
        return (String(host.dropFirst().dropLast()), port, true)
    }
}

extension PeerAddress {
    /// `0.0.0.0` or `::`.
    var isWildcard: Bool { octets.allSatisfy { $0 == 0 } }

    /// 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        switch family {
        case .ipv4: octets.first == 127
        case .ipv6: octets == Octets(repeating: 0, count: 15) + [1]
        case .unixSocket: false
        }
    }

    func hasSameHost(as other: PeerAddress) -> Bool { with(port: 0) == other.with(port: 0) }
}

extension Configuration {
    /// Whether a connection to `address` would come back to one of the listeners.
    ///
    /// `load` has asked this for written addresses; for a host name it must be asked of what the DNS says.
    ///
    /// - Parameter own: the addresses of this machine's interfaces.
    public func isOwnListener(_ address: PeerAddress, own: [PeerAddress] = Configuration.interfaceAddresses()) -> Bool {
        listeners.contains { listener in
            let mine = listener.address
            guard mine.port == address.port, mine.family == address.family else { return false }
            if mine.hasSameHost(as: address) { return true }
            // To connect to a wildcard is to connect to loopback (ip(7)).
            if address.isWildcard { return mine.isLoopback }
            return mine.isWildcard && (address.isLoopback || own.contains { $0.hasSameHost(as: address) })
        }
    }

    /// The addresses of this machine's interfaces, without ports. Empty when the system doesn't tell.
    public static func interfaceAddresses() -> [PeerAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var addresses: [PeerAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            if let found = unsafe address(current.pointee.ifa_addr) { addresses.append(found) }
            unsafe entry = current.pointee.ifa_next
        }
        return addresses
    }

    private static func address(_ socketAddress: UnsafeMutablePointer<sockaddr>?) -> PeerAddress? {
        guard let socketAddress = unsafe socketAddress else { return nil }
        switch Int32(unsafe socketAddress.pointee.sa_family) {
        case AF_INET:
            let inner = unsafe UnsafeRawPointer(socketAddress).loadUnaligned(as: sockaddr_in.self)
            return unsafe withUnsafeBytes(of: inner.sin_addr) { unsafe PeerAddress(raw: $0, port: 0) }
        case AF_INET6:
            let inner = unsafe UnsafeRawPointer(socketAddress).loadUnaligned(as: sockaddr_in6.self)
            return unsafe withUnsafeBytes(of: inner.sin6_addr) { unsafe PeerAddress(raw: $0, port: 0) }
        default:
            return nil
        }
    }
}
