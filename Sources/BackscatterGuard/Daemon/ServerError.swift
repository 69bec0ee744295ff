// Why guardd could not start, or could not go on.

import Glibc

/// What ends `guardd run` badly.
public enum ServerError: Error, Sendable, CustomStringConvertible {
    case configuration(ConfigurationError)
    case sentLog(SentLogError)
    case listen(address: String, ReactorError)
    case reactor(ReactorError)

    public var description: String {
        switch self {
        case .configuration(let error): error.description
        case .sentLog(let error): error.text
        case .listen(let address, let error): "can't listen on \(address): \(error.text)\(ServerError.remedy(address, error))"
        case .reactor(let error): error.text
        }
    }

    private static func remedy(_ address: String, _ error: ReactorError) -> String {
        guard case .system(let call, let number) = error else { return "" }
        let slash = address.lastIndex(of: "/")
        switch number {
        case EADDRINUSE: return slash == nil ? "; ss -ltnp tells who has the port" : "; ss -lxp tells who has the socket"
        case EADDRNOTAVAIL: return "; this machine has no such address"
        case EPERM where call == "chgrp": return "; guardd's user must belong to that group"
        case ENOENT, ENOTDIR, EACCES:
            guard let slash else { return "" }
            let path = address.hasPrefix("unix:") ? address[..<slash].dropFirst(5) : address[..<slash]
            return "; its folder \(path.isEmpty ? "/" : path) must be there, and guardd's user must be able to write in it"
        default: return ""
        }
    }

    /// 78 (EX_CONFIG) for what the administrator has to mend in files and settings, 71 (EX_OSERR) for the rest.
    public var exitStatus: Int32 {
        switch self {
        case .configuration: ConfigurationError.exitStatus
        case .sentLog(let error): error.isOperatorFault ? ConfigurationError.exitStatus : 71
        case .listen, .reactor: 71
        }
    }
}
