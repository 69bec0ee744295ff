// `/`: the status for people. One page, nothing from elsewhere, readable without JavaScript; with it the numbers follow
// status.json. Whatever is not written here is escaped, and the Content-Security-Policy lets nothing run or load but what
// carries this answer's nonce.

/// Makes the page of a document.
struct StatusPage {
    let document: StatusDocument
    let hostname: String
    /// Of this answer only.
    let nonce: String

    init(_ document: StatusDocument, hostname: String, nonce: String = StatusPage.freshNonce()) {
        (self.document, self.hostname, self.nonce) = (document, hostname, nonce)
    }

    /// 128 bits of the system's random generator.
    static func freshNonce() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<2).map { _ in String(random.next() as UInt64, radix: 36) }.joined()
    }

    var response: HTTPResponse {
        let policy = "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        return HTTPResponse(
            200, "OK", type: "text/html; charset=utf-8", Array(html.utf8),
            fields: [("Content-Security-Policy", policy), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY")])
    }

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <noscript><meta http-equiv="refresh" content="30"></noscript>
        <title>guardd on \(Self.escaped(hostname))</title>
        <style nonce="\(nonce)">\(Self.style)</style>
        </head>
        <body>
        <header><h1>guardd <span>\(Self.escaped(hostname))</span></h1><p id="state" class="\(document.tone)">\(Self.escaped(document.headline))</p></header>
        <main>
        <ul id="problems">\(document.problems.map { "<li>\(Self.escaped($0))</li>" }.joined())</ul>
        <section class="figures">\(document.figures.map(Self.figure).joined())</section>
        <section class="plots">\(document.history.map(plot).joined())</section>
        \(legend)
        \(table("events", "Last events", ["time (UTC)", "verdict", "reason", "client", "to", "Message-ID"], document.eventRows, empty: "nothing judged yet"))
        <div class="pair">
        \(table("hosts", "Hosts that bring forged bounces", ["host", "bounces"], document.pageView.tables["hosts"] ?? [], empty: "none in the last 24 hours"))
        \(table("victims", "Addresses they are for", ["recipient", "bounces"], document.pageView.tables["victims"] ?? [], empty: "none in the last 24 hours"))
        </div>
        \(table("domains", "Protected domains", ["domain", "state"], document.domains.map { [$0.pattern, $0.text] }, empty: "no domain is protected"))
        \(table("upstreams", "Mail servers behind", ["address", "state"], document.upstreamRows, empty: "none"))
        \(document.sources.isEmpty ? "" : table("sources", "Sources of the sent log", ["source", "state"], document.sourceRows, empty: ""))
        </main>
        <footer>guardd \(Self.escaped(document.version)), process \(document.process), since \(UTC.text(document.started)) · <a href="metrics">metrics</a> · <a href="status.json">status.json</a> · as of <span id="time">\(UTC.text(document.time))</span></footer>
        <script nonce="\(nonce)">\(Self.script)</script>
        </body>
        </html>

        """
    }

    // MARK: parts

    private static func figure(_ figure: StatusDocument.Figure) -> String {
        "<div><b id=\"\(figure.id)\">\(escaped(figure.value))</b><span>\(escaped(figure.name))</span></div>"
    }

    /// - Parameter rows: of texts, as they are to be read.
    private func table(_ id: String, _ title: String, _ columns: [String], _ rows: [[String]], empty: String) -> String {
        let head = columns.map { "<th scope=\"col\">\(Self.escaped($0))</th>" }.joined()
        let body = rows.map { "<tr>" + $0.map { "<td>\(Self.escaped($0))</td>" }.joined() + "</tr>" }.joined(separator: "\n")
        let none = "<tr class=\"none\"><td colspan=\"\(columns.count)\">\(Self.escaped(empty))</td></tr>"
        return "<section><h2>\(Self.escaped(title))</h2><div class=\"scroll\"><table class=\"\(id)\"><thead><tr>\(head)</tr></thead><tbody id=\"\(id)\" data-empty=\"\(Self.escaped(empty))\">\(rows.isEmpty ? none : body)</tbody></table></div></section>"
    }

    private func plot(_ history: StatusDocument.History) -> String {
        let (plot, name) = (VerdictPlot(history), "plot-\(history.step)")
        let hours = history.step * Int64(history.refused.count) / 3600
        let paths = VerdictPlot.series.map { "<path id=\"\(name)-\($0)\" class=\"\($0)\" d=\"\(plot.paths[$0] ?? "")\"/>" }.joined()
        return """
            <figure><figcaption>Last \(hours) hours</figcaption>
            <svg id="\(name)" viewBox="0 0 \(VerdictPlot.width) \(VerdictPlot.height + 22)" role="img" aria-label="verdicts of the last \(hours) hours">
            <line x1="0" y1="0.5" x2="\(VerdictPlot.width)" y2="0.5"/><line x1="0" y1="\(VerdictPlot.height)" x2="\(VerdictPlot.width)" y2="\(VerdictPlot.height)"/>
            \(paths)
            <text id="\(name)-top" x="2" y="17">\(plot.top)</text><text x="0" y="\(VerdictPlot.height + 19)">−\(hours) h</text><text x="\(VerdictPlot.width)" y="\(VerdictPlot.height + 19)" text-anchor="end">now</text>
            </svg></figure>

            """
    }

    private var legend: String {
        let words = [("refused", "refused"), ("would_refuse", "would be refused"), ("deferred", "deferred"), ("delivered", "delivered")]
        return "<p class=\"legend\">" + words.map { "<i class=\"\($0)\"></i>\($1)" }.joined(separator: " ") + "</p>"
    }

    /// For text and for quoted attributes.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
