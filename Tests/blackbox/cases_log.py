"""R24: what the log says, and what it never says."""
import re

import bounces
from kit import USER, case, expect


@case("R24", "one line for every transaction with upstream's reply")
def transactions(site):
    # Senders of this case's own: lines about clients of the cases before may still come.
    client = site.client()
    client.envelope(b"logged@client.example")
    client.content(b"Subject: x\r\n\r\nx\r\n")
    line = site.logged(rb"relay.*from=<logged@client\.example>.*queued as QX")
    expect(b"to=<" + USER + b">" in line and b"client=127.0.0.1" in line, repr(line))
    id = site.known(rcpts=(b"logged@remote.example",))
    site.logged(rb"send:.*to=<logged@remote\.example>.*queued as QX")
    site.passed(bounces.report(id))
    site.logged(rb"deliver:.*reason=sent.*msgid=<" + re.escape(id) + rb">.*queued as QX")
    unknown = site.unknown()
    site.upstream.reset()
    site.refused(bounces.report(unknown))
    line = site.logged(rb"refuse: .*reason=(?:never_sent|not_covered) .*msgid=<" + re.escape(unknown) + rb">")
    expect(b"550" in line, repr(line))
    client.envelope(b"cut@client.example")
    client.do(b"DATA", 354)
    client.send(b"half")
    client.cut()
    site.logged(rb"cut: .*from=<cut@client\.example>")


@case("R24", "control characters are escaped")
def escapes(site):
    for octets in (b"MAIL FROM:<a\x1b[2Jb@c.example>", "MAIL FROM:<a\u202eb@c.example> SMTPUTF8".encode(), b'MAIL FROM:<"a\x7fb"@c.example>', b"MAIL FROM:<a\xffb@c.example>", "MAIL FROM:<a\u0085b@c.example>".encode()):
        client = site.client()
        if client.command(octets)[0] == 250:
            client.do(b"RCPT TO:<" + USER + b">", 250)
            client.content(b"x\r\n")
        client.close()
    for id in (b"a\x1b[31mb@x", b"a\x00b@x", b"a\x7f\xc2\x85b@x", b'a" reply="250 ok@x', b"a\xe2\x80\xaeb@x"):
        site.notify(bounces.report(id))
    lines = site.lines_so_far()
    expect(sum(bool(re.search(rb" (?:refuse|deliver): ", line)) for line in lines) == 5, "lines of the notifications are not there: %s" % lines)
    for line in lines:
        expect(re.fullmatch(rb"[ -~]*\n", line), "raw octets in the log: %r" % line)
        expect(line.count(b' reply="') <= 1, "a client wrote a field of the log: %r" % line)


@case("R24", "the 550 is one clean line with the id washed")
def refusal_text(site):
    refused = 0
    for id in (b"plain@x.example", b"a\xff\x1b]0;x\x07b@x", b"long" * 300 + b"@x", b"\r\n250 ok@x", b"a%n%s@x"):
        code, text = site.notify(bounces.report(id))
        if code != 250:
            refused += 1
            expect(code == 550 and b"\n" not in text and re.fullmatch(rb"[ -~]*", text), "%d %r" % (code, text))
            expect(len(text) < 505, "a reply line of %d octets" % len(text))
            expect(text.startswith(b"5.7.1 "), repr(text))
    expect(refused >= 3, "only %d were refused" % refused)


@case("R24", "secrets of AUTH are never logged", settings='log_level = "debug"')
def secrets(site):
    site.upstream.keywords = ["AUTH PLAIN LOGIN", "PIPELINING"]
    client = site.client()
    client.do(b"AUTH PLAIN c2VjcmV0LXdvcmQtMQ==", 235)
    client.envelope()
    client.content(b"Message-ID: <a@b>\r\n\r\nx\r\n")
    client = site.client()
    client.do(b"AUTH LOGIN", 334)
    client.do(b"c2VjcmV0LXdvcmQtMg==", 235)
    client.envelope()
    client.content(b"Message-ID: <a@b>\r\n\r\nx\r\n")
    client = site.client()
    client.do(b"AUTH LOGIN", 334)
    client.send(b"c2VjcmV0LXdvcmQtMw==\0\r\n")
    expect(client.closed_within(20) is not None, "an odd secret is taken")
    lines = site.lines_so_far()
    expect(any(b"sender@client.example" in line for line in lines), "the mails of these sessions are not in the log: %s" % lines)
    for line in lines:
        expect(b"c2VjcmV0" not in line, "a secret in the log: %r" % line)
    for secret in (b"AUTH PLAIN c2VjcmV0LXdvcmQtMQ==", b"c2VjcmV0LXdvcmQtMg=="):
        expect(secret in site.upstream.secrets, "AUTH did not reach upstream unchanged")


@case("R24", "an authenticated session on an automatic listener is outgoing")
def authenticated_is_outgoing(site):
    site.upstream.keywords = ["AUTH PLAIN", "PIPELINING"]
    client = site.client()
    client.do(b"AUTH PLAIN AGEAYg==", 235)
    id = site.unknown()
    client.envelope(USER, (b"seed@remote.example",))
    expect(client.content(b"Message-ID: <" + id + b">\r\n\r\nx\r\n")[0] == 250, "refused")
    site.upstream.reset()
    site.passed(bounces.report(id))
