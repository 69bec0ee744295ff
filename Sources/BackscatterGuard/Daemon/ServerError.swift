// Why guardd could not start, or could not go on.

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
        case .listen(let address, let error): "can't listen on \(address): \(error.text)"
        case .reactor(let error): error.text
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
