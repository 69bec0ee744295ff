// What the HTTP server hands on and takes back: values, nothing of libevent.

/// A GET or HEAD. Its texts are the client's and not checked.
public struct HTTPRequest: Sendable {
    /// As it was sent, percent signs and all.
    public let path: String
    /// Without `?`; empty when there is none.
    public let query: String
    public let accept: String?
    public let host: String?
}

/// An answer.
public struct HTTPResponse: Sendable {
    public var status: Int
    /// Of the status line.
    public var phrase: String
    /// Header fields; no line ends in them.
    public var fields: [(String, String)]
    public var body: [UInt8]

    public init(_ status: Int, _ phrase: String, type: String, _ body: [UInt8], fields: [(String, String)] = []) {
        self.status = status
        self.phrase = phrase
        self.fields = [("Content-Type", type), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")] + fields
        self.body = body
    }

    /// One line for people.
    static func line(_ status: Int, _ phrase: String, _ text: String, fields: [(String, String)] = []) -> HTTPResponse {
        HTTPResponse(status, phrase, type: "text/plain; charset=utf-8", Array((text + "\n").utf8), fields: fields)
    }

    static let methodNotAllowed = line(405, "Method Not Allowed", "read only: GET and HEAD", fields: [("Allow", "GET, HEAD")])
    static let badRequest = line(400, "Bad Request", "no request that is understood")
    static let notFound = line(404, "Not Found", "there is: / /metrics /status.json /healthz /readyz")
}
