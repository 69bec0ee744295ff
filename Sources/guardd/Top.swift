// guardd top: live in the terminal.

import ArgumentParser
import BackscatterGuard
import Glibc

struct Top: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows a running guardd live: sessions, verdicts, refusals, who bounces, who is abused.",
        discussion: """
            Asks the status socket every two seconds. q quits. Exit status 0, also after SIGINT and SIGTERM; 64: standard input and \
            output are no terminal; 69: guardd does not answer; 77: the socket may not be opened; 78: the configuration needs mending.
            """
    )

    @OptionGroup var options: RunOptions

    @Option(help: ArgumentHelp("Of the status socket, instead of the configuration's.", valueName: "path"))
    var socket: String?

    /// Milliseconds between two looks.
    private static let interval: Int64 = 2_000

    func run() throws {
        guard let terminal = Terminal() else {
            complain("top: standard input and output must be a terminal; use guardd status, or guardd events --follow")
            throw ExitCode(64)
        }
        let configuration = try socket == nil ? options.loadConfiguration() : nil
        guard let path = socket ?? configuration?.statusPath else {
            complain("top: there is no status socket (status_socket = \"none\")")
            throw ExitCode(69)
        }
        let client = StatusClient(path: path)
        do throws(StatusClientError) {
            // Before the screen is taken: what is wrong is to be read afterwards.
            _ = try client.document(of: configuration)
        } catch {
            complain("top: \(error.text)")
            if case .denied = error { throw ExitCode(77) }
            throw ExitCode(69)
        }
        terminal.run { loop(terminal, client, configuration) }
    }

    private func loop(_ terminal: Terminal, _ client: StatusClient, _ configuration: Configuration?) {
        var (model, values, fault) = (TopModel(), TopValues(), "")
        var due = Int64.min
        while true {
            let now = Terminal.clock()
            if now >= due {
                due = now + Self.interval
                do throws(StatusClientError) {
                    let status = try client.document(of: configuration, within: Self.interval).document
                    (values, fault) = (model.take(status, clock: now), "")
                } catch {
                    fault = error.text
                }
            }
            let (width, height) = terminal.size
            var shown = values
            if !fault.isEmpty { shown.problems.insert(fault, at: 0) }
            terminal.show(TopScreen(width: width, height: height, isUTF8: terminal.isUTF8).lines(shown))
            switch terminal.wait(atMost: CInt(clamping: max(0, due - Terminal.clock()))) {
            case .end, .key(UInt8(ascii: "q")), .key(UInt8(ascii: "Q")), .key(3), .key(4): return
            case .key, .nothing: break
            }
        }
    }
}
