"""R1, R2, R9: the one true end of content."""
import itertools

import bounces
from kit import OUTGOING, USER, Closed, case, expect
from upstream import Later

SMUGGLED = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@protected.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n"
LINE_ENDS = {"CRLF": b"\r\n", "CR": b"\r", "LF": b"\n"}
LOOK_ALIKES = {
    "%s%s.%s%s" % (one, nul, other_nul, two): LINE_ENDS[one] + before + b"." + behind + LINE_ENDS[two]
    for (one, two) in itertools.product(LINE_ENDS, LINE_ENDS) for nul, before in (("", b""), (" NUL ", b"\0"), (" 3 NUL ", b"\0\0\0"))
    for other_nul, behind in (("", b""), (" NUL ", b"\0")) if not (one == two == "CRLF" and not before and not behind)
}
LOOK_ALIKES.update({"CRLF.CRCRLF": b"\r\n.\r\r\n", "CRCRLF.CRCRLF": b"\r\r\n.\r\r\n", "LFCR.CRLF": b"\n\r.\r\n", "LF.LFCRLF": b"\n.\n\r\n", "LFCR.LF": b"\n\r.\n"})
HARMLESS = {
    "CRLF. CRLF": b"\r\n. \r\n", "CRLF.TABCRLF": b"\r\n.\t\r\n", "bare LF": b"a\nb", "bare CR": b"a\rb", "CRLFLF": b"\r\n\n", "CRCRLF": b"\r\r\n", "LFCR": b"\n\r",
    "CRLF..CRLF": b"\r\n..\r\n", "CRLF...CRLF": b"\r\n...\r\n", "NUL": b"a\0b", "CRLF.x": b"\r\n.x\r\n", "LF.x": b"\n.x\r\n", "8 bit": bytes(range(128, 256)), "CRLF.NULx": b"\r\n.\0x\r\n",
}


def send_with(site, octets, sender, framing, source=None, cut=None):
    """A message with `octets` in it and commands behind them. Returns the code of the reply to its end."""
    site.upstream.reset()
    site.upstream.framing = framing
    client = site.client(source=source)
    client.envelope(sender, (USER,) if not source else (b"seed@remote.example",))
    client.do(b"DATA", 354)
    raw = b"Subject: x\r\nMessage-ID: <" + site.token() + b"@x>\r\n\r\nfirst" + octets + SMUGGLED + b"\r\n.\r\n"
    try:
        if cut is None:
            client.send(raw)
        else:
            at = raw.index(b"first") + 5 + cut
            client.send(raw[:at])
            client.is_read()
            client.send(raw[at:])
        code = client.reply()[0]
        client.quit()
    except Closed:
        code = 0
    client.close()
    return code, raw


def check_not_smuggled(site, name):
    lines = site.upstream.lines()
    expect(not any(b"evil" in line for line in lines), "%s: commands were smuggled: %r" % (name, [line for line in lines if b"evil" in line][:1]))
    expect(not site.upstream.deliveries, "%s: refused, but delivered" % name)


@case("R2", "look-alikes of the end never reach upstream, whatever it takes for an end")
def look_alikes(site):
    for (name, octets), framing in itertools.product(LOOK_ALIKES.items(), ("strict", "lf", "lenient")):
        code, _ = send_with(site, octets, b"a@client.example", framing)
        expect(code == 0 or code >= 400, "%s (%s): got %d" % (name, framing, code))
        check_not_smuggled(site, "%s (%s)" % (name, framing))
        for connection in site.upstream.all:
            expect(connection.content_ends == 0, "%s (%s): upstream saw an end of content" % (name, framing))


@case("R2", "look-alikes in notifications and in outgoing mail")
def look_alikes_elsewhere(site):
    for name, octets in LOOK_ALIKES.items():
        code, _ = send_with(site, octets, b"", "lenient")
        expect(code == 0 or code >= 400, "%s, null sender: got %d" % (name, code))
        check_not_smuggled(site, name)
        code, _ = send_with(site, octets, USER, "lenient", source=OUTGOING)
        expect(code == 0 or code >= 400, "%s, outgoing: got %d" % (name, code))
        check_not_smuggled(site, name)


@case("R2", "look-alikes at the beginning of content and cut anywhere")
def look_alikes_cut(site):
    for name in ("LF.LF", "CRLF.LF", "CRLF.CR", "CR.CR", "CRLF.CRCRLF", "CRLF NUL .CRLF", "LF.CRLF"):
        octets = LOOK_ALIKES[name]
        for cut in range(len(octets) + 1):
            code, _ = send_with(site, octets, b"a@client.example", "lenient", cut=cut)
            expect(code == 0 or code >= 400, "%s cut at %d: got %d" % (name, cut, code))
            check_not_smuggled(site, "%s cut at %d" % (name, cut))
    for first in (b".\n", b".\r", b"\0.\n", b".\0\n", b".\r\r\n", b"\n.\n"):
        site.upstream.reset()
        site.upstream.framing = "lenient"
        client = site.client()
        client.envelope()
        client.do(b"DATA", 354)
        try:
            code = client.send(first + SMUGGLED + b"\r\n.\r\n").reply()[0]
        except Closed:
            code = 0
        expect(code == 0 or code >= 400, "%r first: got %d" % (first, code))
        check_not_smuggled(site, repr(first))
        client.close()


@case("R2", "other odd octets pass identical")
def harmless(site):
    for (name, octets), sender in itertools.product(HARMLESS.items(), (b"a@client.example", b"")):
        site.upstream.reset()
        client = site.client()
        client.envelope(sender)
        body = b"Subject: x\r\n\r\nfirst" + octets + b"last\r\n"
        client.do(b"DATA", 354)
        # These octets are stuffed as they are to be on the wire.
        code, text = client.send(body + b".\r\n").reply()
        expect(code == 250, "%s: got %d %s" % (name, code, text))
        import re
        site.delivered(re.sub(rb"\r\n\.", rb"\r\n", body))
        client.close()


@case("R2", "bare line ends are refused where the setting says so", settings='bare_line_endings = "refuse"')
def bare_line_ends_refused(site):
    for octets in (b"a\nb", b"a\rb", b"\n", b"\r\r\n"):
        for sender in (b"a@client.example", b""):
            for cut in (None, 1):
                site.upstream.reset()
                client = site.client()
                client.envelope(sender)
                client.do(b"DATA", 354)
                client.send(b"x" + octets[:1])
                if cut:
                    client.is_read()
                code, text = client.send(octets[1:] + b"y\r\n.\r\n").reply()
                expect(code == 451, "%r: got %d %s" % (octets, code, text))
                expect(not site.upstream.deliveries, "delivered")
                client.do(b"NOOP", 250, 421)
                client.close()
    site.alive()


@case("R1", "the end is found however the octets are cut")
def cuts_of_the_end(site):
    bodies = [b"x\r\n", b"", b".\r\n", b"..\r\n.\r\n", b"\r\n", b"a\r\n.b\r\n.\r\n\r\n", b"\r\r\n"]
    for body, sender in itertools.product(bodies, (b"a@client.example", b"")):
        from kit import stuffed
        raw = stuffed(body)
        for cut in range(1, len(raw) + 1):
            site.upstream.reset()
            client = site.client(ehlo=False)
            client.do(b"HELO x", 250)
            client.envelope(sender)
            client.do(b"DATA", 354)
            client.send(raw[:cut])
            if cut < len(raw):
                client.is_read()
            code, text = client.send(raw[cut:] + b"NOOP\r\n").reply()
            expect(code == 250, "%r cut at %d: got %d %s" % (body, cut, code, text))
            client.want(250)
            site.delivered(body)
            client.close()


@case("R1", "octet by octet, and lines of dots")
def octet_by_octet(site):
    body = b"Subject: x\r\n\r\n" + b"".join(b"." * count + b"\r\n" for count in range(1, 6)) + b"end\r\n"
    for sender in (b"a@client.example", b""):
        from kit import stuffed
        site.upstream.reset()
        client = site.client()
        client.envelope(sender)
        client.do(b"DATA", 354)
        for octet in stuffed(body):
            client.is_read().send(bytes([octet]))
        client.want(250)
        site.delivered(body)


@case("R1", "large mail passes identical at constant memory")
def large_mail(site):
    line = bytes(range(32, 96)) + b"\r\n"
    body = b"Subject: x\r\n\r\n" + (line * 16 + b".dots\r\n..\r\n") * 20_000
    before = site.rss()
    for via in ("content", "chunks"):
        for sender, source in ((b"a@client.example", None), (USER, OUTGOING)):
            site.upstream.reset()
            client = site.client(timeout=60, source=source)
            client.envelope(sender)
            code, text = getattr(client, via)(body)
            expect(code == 250, "%s: got %d %s" % (via, code, text))
            site.delivered(body)
    grown = site.rss() - before
    expect(grown < 8, "memory grew by %.1f MB" % grown)
    return "%d MB, memory +%.1f MB" % (len(body) >> 20, grown)


@case("R9", "a client that dies leaves no message behind")
def dying_clients(site):
    forged, known = bounces.report(site.unknown()), bounces.report(site.known())
    big = b"x" * 70 + b"\r\n"
    contents = {
        "in the middle": b"Subject: x\r\n\r\nhalf a line", "at a line end": b"x\r\n", "CRLF.": b"x\r\n.", "CRLF.CR": b"x\r\n.\r", "after DATA": b"", "much": big * 20_000,
        "forged bounce": forged, "forged, dot": forged + b".", "known bounce": known, "known, dot CR": known + b".\r", "known and long": known + big * 20_000,
    }
    for (name, content), sender, how in itertools.product(contents.items(), (b"a@client.example", b""), ("close", "cut", "fin")):
        site.upstream.reset()
        client = site.client()
        client.envelope(sender)
        client.do(b"DATA", 354)
        client.send(content)
        if how == "fin":
            client.sock.shutdown(1)
        else:
            getattr(client, how)()
        expect(site.upstream.wait(lambda: not site.upstream.live, 10), "%s, %s: upstream connection stays" % (name, how))
        expect(not site.upstream.deliveries, "%s, %s: a message was made" % (name, how))
        for connection in site.upstream.all:
            expect(connection.content_ends == 0, "%s, %s: upstream saw an end" % (name, how))
            expect(not bytes(connection.body).endswith(b"\r\n.\r\n"), "%s, %s: a dot went upstream" % (name, how))
        client.close()


@case("R9", "half-close behind complete commands is answered")
def half_close(site):
    client = site.client(ehlo=False)
    client.send(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\nhello\r\n.\r\nNOOP\r\n")
    client.sock.shutdown(1)
    codes = [client.reply()[0] for _ in range(6)]
    expect(codes == [250, 250, 250, 354, 250, 250], "replies %s" % codes)
    expect(client.closed_within(5) is not None, "not closed")
    expect(len(site.upstream.deliveries) == 1, "not delivered")
    site.upstream.hook = lambda connection, verb, line: Later(0.3, None) if verb in ("EOD", "EHLO") else None
    for id, code in ((site.known(), 250), (site.unknown(), 550)):
        client = site.client(ehlo=False)
        client.send(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\n" + bounces.report(id) + b".\r\nQUIT\r\n")
        client.sock.shutdown(1)
        codes = [client.reply()[0] for _ in range(6)]
        expect(codes == [250, 250, 250, 354, code, 221], "replies %s" % codes)
    expect(site.upstream.wait(lambda: not site.upstream.live, 5), "upstream connections stay")
