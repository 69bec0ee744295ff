// What the demo says besides its table: what is about to be played, and how to try guardd by hand.

enum DemoManual {
    static let introduction = """
        Protected domain: \(DemoCast.domain). Clients at \(DemoStage.outgoingSource) are our own, all others are strangers.
        The sent log is stated to be complete for the last \(DemoStage.coveredDays) days.

        """

    /// Lines for a shell; they need swaks.
    static func byHand(server: PeerAddress) -> String {
        let swaks = "swaks --server \(server.text):\(server.port) --helo test.example.net"
        return """

            guardd stays up; its log follows below. To try it by hand, in another terminal (swaks: apt install swaks):

            1. Send a mail out, with a Message-ID of your choice:
               \(swaks) --local-interface \(DemoStage.outgoingSource) \\
                 --from \(DemoCast.own) --to \(DemoCast.failed) --h-Message-Id '<mine@\(DemoCast.domain)>'

            2. Its bounce comes back, and is delivered (250):
               \(swaks) --from '<>' --to \(DemoCast.own) \\
                 --h-From 'MAILER-DAEMON@mail.example.net' --h-Subject 'failure notice' \\
                 --body '\(body(id: "mine@\(DemoCast.domain)", failed: DemoCast.failed))'

            3. A bounce of a mail that was never sent, and is refused (550):
               \(swaks) --from '<>' --to \(DemoCast.own) \\
                 --h-From 'MAILER-DAEMON@mail.example.net' --h-Subject 'failure notice' \\
                 --body '\(body(id: "forged@\(DemoCast.domain)", failed: DemoCast.spammed))'

            4. An ordinary mail, which passes (250):
               \(swaks) --from carol@example.net --to \(DemoCast.own)

            Ctrl-C ends it and removes all that it made.

            """
    }

    /// qmail's form, on one line: swaks makes line ends of \\n.
    private static func body(id: String, failed: String) -> String {
        [
            "Hi. This is the qmail-send program at mail.example.net.", "I could not deliver your message.", "",
            "<\(failed)>:", "Sorry, no mailbox here by that name. (#5.1.1)", "",
            "--- Below this line is a copy of the message.", "", "Return-Path: <\(DemoCast.own)>",
            "From: \(DemoCast.own)", "To: \(failed)", "Message-ID: <\(id)>", "", "Hello",
        ].joined(separator: "\\n")
    }
}
