"""R15 to R19: whatever a bounce looks like, the never-sent id is refused and the sent one passes."""
import time

import bounces
from bounces import base64_lines, crlf, nested, quoted_printable, report
from kit import NULL, OUTGOING, USER, Failure, case, expect

# How the field with the id may be written.
FIELDS = {
    "folded": b"Message-ID:\n <%s>\n", "folded twice": b"Message-ID:\n\t\n <%s>\n", "folded before the colon's blank": b"Message-ID: \n <%s>\n",
    "comment before": b"Message-ID: (a comment) <%s>\n", "comment with an id before": b"Message-ID: (<other@x.example>) <%s>\n",
    "nested comments": b"Message-ID: (a (b \\) (c)) d) <%s> (e)\n", "comment behind": b"Message-ID: <%s> (added by x)\n",
    "lower case": b"message-id: <%s>\n", "odd case": b"mEsSaGe-iD: <%s>\n", "no blank": b"Message-ID:<%s>\n", "tab": b"Message-ID:\t<%s>\n",
    "obsolete blank": b"Message-ID : <%s>\n", "obsolete tab": b"Message-ID\t: <%s>\n", "many blanks": b"Message-ID:" + b" " * 200 + b"<%s>\n",
    "blanks inside": b"Message-ID: < %s >\n", "no brackets": b"Message-ID: %s\n", "8 bit before": b"X-Odd: \xff\xfe\x80\nMessage-ID: <%s>\n",
    "8 bit in the field": b"Message-ID: \xa0<%s>\n", "very long comment": b"Message-ID: (" + b"x" * 900 + b") <%s>\n", "far down": b"X-Fill: y\n" * 500 + b"Message-ID: <%s>\n",
    "a long field before": b"X-Fill: " + b"y" * 30_000 + b"\nMessage-ID: <%s>\n", "text behind": b"Message-ID: <%s> junk\n", "twice": b"Message-ID: <%s>\nMessage-ID: <%s>\n",
    "empty first": b"Message-ID:\nMessage-ID: <%s>\n", "broken line before": b"this is no field\nMessage-ID: <%s>\n", "NUL before": b"X-Nul: a\0b\nMessage-ID: <%s>\n",
    "fold by blanks only": b"Message-ID:\n   \n\t <%s>\n", "open comment in another field": b"X-Odd: (((((\nMessage-ID: <%s>\n", "open quote in another field": b'X-Odd: "\nMessage-ID: <%s>\n',
    "mbox line": b"From someone Mon Nov  2 00:00:00 2026\nMessage-ID: <%s>\n", "Resent too": b"Resent-Message-ID: <%s>\nMessage-ID: <%s>\n", "empty field name": b": x\nMessage-ID: <%s>\n",
}
# How the report may be built. Each takes the id.
FORMS = {
    "plain report": lambda id: report(id),
    "headers only": lambda id: report(id, part=b"Content-Type: text/rfc822-headers"),
    "headers only, other case": lambda id: report(id, part=b"cOnTeNt-TyPe: TEXT/RFC822-Headers"),
    "message/rfc822-headers": lambda id: report(id, part=b"Content-Type: message/rfc822-headers"),
    "message/global": lambda id: report(id, part=b"Content-Type: message/global"),
    "message/global-headers": lambda id: report(id, part=b"Content-Type: message/global-headers"),
    "base64": lambda id: report(id, encoding=b"base64", encode=base64_lines),
    "base64, long lines": lambda id: report(id, encoding=b"base64", encode=lambda text: base64_lines(text, 4000)),
    "base64, lines of 5": lambda id: report(id, encoding=b"BASE64", encode=lambda text: base64_lines(text, 5)),
    "base64, no padding": lambda id: report(id, encoding=b"Base64", encode=lambda text: base64_lines(text).replace(b"=", b"")),
    "base64, junk inside": lambda id: report(id, encoding=b"base64", encode=lambda text: base64_lines(text).replace(b"\r\n", b" !\r\n\r\n")),
    "base64 headers": lambda id: report(id, part=b"Content-Type: text/rfc822-headers", encoding=b"base64", encode=base64_lines),
    "base64 with a comment": lambda id: report(id, encoding=b"(x) base64 (y)", encode=base64_lines),
    "quoted-printable": lambda id: report(id, encoding=b"quoted-printable", encode=quoted_printable),
    "quoted-printable, all": lambda id: report(id, encoding=b"Quoted-Printable", encode=lambda text: quoted_printable(text, True)),
    "quoted-printable claimed, not used": lambda id: report(id, encoding=b"quoted-printable"),
    "base64 claimed, not used": lambda id: report(id, encoding=b"base64"),
    "unknown encoding": lambda id: report(id, encoding=b"x-rot13"),
    "7bit": lambda id: report(id, encoding=b"7bit"),
    "two encodings": lambda id: report(id, encoding=b"7bit\r\nContent-Transfer-Encoding: base64"),
    "unquoted boundary": lambda id: report(id, declared=b"bound.ary"),
    "boundary with blanks behind": lambda id: report(id, declared=b'"bound.ary  "'),
    "boundary with an escape": lambda id: report(id, declared=b'"bound\\.ary"'),
    "boundary in a comment too": lambda id: report(id, declared=b'(boundary="other") "bound.ary"'),
    "boundary by RFC 2231": lambda id: report(id, declared=b'x; boundary*0="bound"; boundary*1=".ary"'),
    "other boundary first": lambda id: report(id, declared=b'"bound.ary"; boundary="other"'),
    "wrong boundary": lambda id: report(id, declared=b'"something-else"'),
    "no boundary": lambda id: report(id, declared=b'""'),
    "boundary of 70": lambda id: report(id, boundary=b"x" * 70),
    "boundary of 1000": lambda id: report(id, boundary=b"x" * 1000),
    "boundary of 5000": lambda id: report(id, boundary=b"x" * 5000),
    "boundary looks like an end": lambda id: report(id, boundary=b"abc--"),
    "boundary prefix in the text": lambda id: report(id, text=b"--bound\n--bound.ar\n--bound.aryX\n--bound.ary-\n"),
    "no final boundary": lambda id: report(id, end=b""),
    "early final boundary": lambda id: report(id, text=b"x\n--bound.ary--\n"),
    "no final boundary, cut": lambda id: report(id, end=b"", body=b"cut off"),
    "no MIME-Version": lambda id: report(id).replace(b"MIME-Version: 1.0\r\n", b""),
    "Content-Type in odd case": lambda id: report(id, type=b"CONTENT-type"),
    "obsolete blank behind Content-Type": lambda id: report(id, type=b"Content-Type "),
    "two Content-Types": lambda id: report(id, fields=b"Content-Type: text/plain\n"),
    "two Content-Types, last wins": lambda id: report(id).replace(b"\r\nMIME-Version", b"\r\nContent-Type: multipart/mixed; boundary=zzz\r\nMIME-Version"),
    "preamble and epilogue": lambda id: report(id, preamble=b"This is a MIME message.\n\n", epilogue=b"\nepilogue\n"),
    "own id in front": lambda id: report(id, fields=b"Message-ID: <second.own@remote.example>\n"),
    "references and reply-to in front": lambda id: report(id, fields=b"References: <a@b.example>\nIn-Reply-To: <c@d.example>\n"),
    "LF only inside": lambda id: report(id).replace(b"\r\n\r\n--bound.ary\r\nContent-Type: message/rfc822\r\n\r\n", b"\n\n--bound.ary\nContent-Type: message/rfc822\n\n"),
    "original unsaid (text/plain)": lambda id: report(id, part=b"Content-Type: text/plain", text=b"The original message follows.\n"),
    "original without a type": lambda id: report(id, part=b""),
    "qmail": bounces.qmail,
    "exim": bounces.exim,
    "qmail, padded": lambda id: bounces.qmail(id).replace(b"Sorry, no", b"Sorry, \r\n" * 3000 + b"no"),
    "padding before": lambda id: report(id, text=b"x" * 70 + b"\n" * 1 + (b"x" * 70 + b"\n") * 2000),
    "padding behind": lambda id: report(id, body=(b"y" * 70 + b"\n") * 2000),
    "nested report": lambda id: report(id, part=b"Content-Type: multipart/mixed; boundary=inner", original=b"--inner\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <" + id + b">\r\n\r\nx\r\n--inner--\r\n"),
    "bounce of a bounce": lambda id: report(b"x", original=report(id)),
    "BOM in front": lambda id: report(id, id_field=b"\xef\xbb\xbfMessage-ID: <" + id + b">\nMessage-ID: <" + id + b">\n"),
}


@case("R15", "forms of the field with the id")
def id_fields(site):
    wrong = []
    for name, field in FIELDS.items():
        for part in (b"Content-Type: message/rfc822", b"Content-Type: text/rfc822-headers"):
            site.upstream.reset()
            try:
                site.both(lambda id: report(id, part=part, id_field=field.replace(b"%s", id)))
            except Failure as failure:
                wrong.append("%s in %s: %s" % (name, part[14:].decode(), failure))
    expect(not wrong, "; ".join(wrong))
    return "%d forms" % len(FIELDS)


@case("R15", "forms of the report")
def report_forms(site):
    wrong = []
    for name, make in FORMS.items():
        for via in ("data", "bdat"):
            site.upstream.reset()
            try:
                site.both(make, via=via)
            except Failure as failure:
                wrong.append("%s (%s): %s" % (name, via, failure))
    expect(not wrong, "%d: " % len(wrong) + "; ".join(wrong))
    return "%d forms" % len(FORMS)


@case("R15", "the result does not depend on how the octets are cut")
def cut_anywhere(site):
    make = FORMS["base64"]
    for step in (1, 7, 100, 1459):
        for id, code in ((site.unknown(), 550), (site.known(), 250)):
            body = make(id)
            client = site.client()
            client.do(NULL, 250)
            client.do(b"RCPT TO:<" + USER + b">", 250)
            client.do(b"DATA", 354)
            for start in range(0, len(body), step):
                client.send(body[start:start + step])
            got = client.send(b".\r\n").reply()[0]
            expect(got == code, "in pieces of %d: got %d" % (step, got))
            client.close()


@case("R15", "the id is compared as mail systems do")
def id_compared(site):
    local = site.token("MiXeD")
    site.known(id=local + b"@Protected.EXAMPLE")
    site.passed(report(local + b"@protected.example"))
    site.upstream.reset()
    site.refused(report(local.lower() + b"@protected.example"))
    for id in (b"eq=3D%s=x", b"dollar$plus+%s", b"%s" + b"y" * 200, b'"quoted local %s"', b"no-at-sign-%s", b"%s@[192.0.2.1]", b"a%%b!c/%s", b"%s" + b"z" * 900):
        full = id.replace(b"%s", site.token()).replace(b"%%", b"%")
        full += b"" if b"@" in full or full.startswith(b"no-at") else b"@protected.example"
        site.known(id=full)
        site.upstream.reset()
        site.passed(report(full))
        site.upstream.reset()
        site.refused(report(full[:-1] + b"q"))


@case("R16", "an id behind megabytes")
def behind_megabytes(site):
    line = b"padding " * 9 + b"\n"
    for size in (200_000, 300_000, 3_000_000):
        padding = line * (size // len(line))
        for place in ("text", "preamble", "headers", "body of an attachment"):
            def make(id):
                if place == "headers":
                    return report(id, id_field=b"X-Fill: " + b"y" * 60 + b"\n" + (b"X-Fill: " + b"y" * 60 + b"\n") * (min(size, 90_000) // 69) + b"Message-ID: <" + id + b">\n")
                if place == "body of an attachment":
                    return report(id, text=b"x\n--bound.ary\nContent-Type: application/octet-stream\n\n" + padding)
                return report(id, **{place: padding})
            site.upstream.reset()
            try:
                site.both(make, timeout=60)
            except Failure as failure:
                raise Failure("%d in %s: %s" % (size, place, failure))


@case("R16", "an id behind 1,000 parts, 10,000 levels, a hundred ids of others")
def behind_structure(site):
    part = b"--bound.ary\nContent-Type: text/plain\n\nx\n"
    deep = [b"multipart/mixed"] * (1000 if site.is_slow_build else 10_000)
    messages = (b"Content-Type: message/rfc822\r\n\r\n") * (1000 if site.is_slow_build else 10_000)
    makers = {
        "1,000 parts": lambda id: report(id, text=b"x\n" + part * 1000),
        "levels of multipart": lambda id: b"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n" + nested(deep, bounces.qmail(id)),
        "levels of multipart around a report": lambda id: b"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\nMIME-Version: 1.0\r\n" + nested(deep, report(id)),
        "120 levels": lambda id: b"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\nMIME-Version: 1.0\r\n" + nested([b"multipart/mixed"] * 120, report(id)),
        "levels of message": lambda id: report(b"x", part=b"X-Y: z", original=messages + report(id)),
    }
    wrong = []
    for name, make in makers.items():
        site.upstream.reset()
        try:
            site.both(make, timeout=60)
        except Failure as failure:
            wrong.append("%s: %s" % (name, failure))
    expect(not wrong, "; ".join(wrong))


@case("R16", "a late forged verdict takes the content back")
def late_refusal(site):
    padding = b"padding " * 9 + b"\n"
    for via in ("data", "bdat", 100_000):
        site.upstream.reset()
        client = site.client(timeout=30)
        try:
            code, text = site.notify(report(site.unknown(), text=padding * 20_000), via=via, client=client)
        except Failure as failure:
            raise Failure("%s: %s" % (via, failure))
        expect(code == 550, "%s: got %d %s" % (via, code, text))
        expect(not site.upstream.deliveries and all(one.content_ends == 0 for one in site.upstream.all), "%s: upstream saw an end" % via)
        client.envelope(b"next@client.example")
        expect(client.content(b"x\r\n")[0] == 250, "%s: the next mail of the session fails" % via)
        client.close()
    # Chunks that end where the hold is outgrown, in every way.
    for size in (262_144, 262_145, 300_000, 390_000):
        for via in ("data", "bdat", 131_072, 150_000):
            site.upstream.reset()
            site.both(lambda id: report(id, text=padding * (size // len(padding))), via=via, timeout=15)
    # and the id only at the end
    for via in ("data", "bdat", 100_000):
        site.upstream.reset()
        code, text = site.notify(report(site.known(), text=padding * 20_000), via=via, timeout=30)
        expect(code == 250, "%s: the sent one got %d %s" % (via, code, text))
        expect(len(site.upstream.deliveries) == 1, "%s: %d deliveries" % (via, len(site.upstream.deliveries)))


@case("R16", "the sum of all holds is bounded, slow holders block nobody", settings='hold_limit = "64KiB"\nhold_total_limit = "256KiB"')
def many_holds(site):
    clients = []
    padding = b"padding " * 9 + b"\r\n"
    for number in range(20):
        client = site.client()
        client.do(NULL, 250)
        client.do(b"RCPT TO:<" + USER + b">", 250)
        client.do(b"DATA", 354)
        body = report(site.unknown() if number % 2 else site.known(), text=(padding * 800).replace(b"\r\n", b"\n"))
        client.send(body[:50_000])
        clients.append((client, body, 550 if number % 2 else 250))
    site.alive()
    for client, body, code in clients:
        got, text = client.send(body[50_000:] + b".\r\n").reply()
        expect(got == code, "got %d %s, not %d" % (got, text, code))


@case("R17", "an id of another domain, and one that comes back too often, deliver with an alarm")
def replays(site):
    id = site.known(sender=b"user@elsewhere.example")
    site.passed(report(id))
    site.logged(rb"reason=other_domain")
    id = site.known(sender=b"user@sub.protected.example")
    site.upstream.reset()
    site.passed(report(id))
    site.logged(rb"reason=sent")
    id = site.known()
    for number in range(15):
        site.upstream.reset()
        site.log.clear()
        site.passed(report(id))
    site.logged(rb"reason=replayed")


@case("R17", "a policy can refuse them, and bind whole addresses", settings='bind = "address"', actions='other_domain = "refuse"\nreplayed = "refuse"')
def replays_refused(site):
    id = site.known(sender=b"other@protected.example")
    site.refused(report(id))
    id = site.known(sender=b"user@elsewhere.example")
    site.refused(report(id))
    id = site.known(sender=USER, rcpts=(b"a@x.example", b"b@x.example"))
    for rcpt in (USER, b"user+tag@protected.example"):
        site.upstream.reset()
        site.passed(report(id), rcpts=(rcpt,))
    codes = [site.notify(report(id))[0] for _ in range(20)]
    expect(codes[:14] == [250] * 14, "refused after %d" % codes.index(550))
    expect(codes[-1] == 550, "never refused: %s" % codes)


@case("R18", "only the returned message counts")
def outer_fields(site):
    known = site.known()
    for fields in (b"References: <%s>\n", b"In-Reply-To: <%s>\n", b"Message-ID: <%s>\n", b"X-Original-Message-ID: <%s>\n", b"Original-Message-ID: <%s>\n",
                   b"Resent-Message-ID: <%s>\n", b"Received: from x by y id <%s>; now\n", b"Subject: Message-ID: <%s>\n", b"X-Google-Original-Message-ID: <%s>\n"):
        site.upstream.reset()
        body = report(site.unknown(), fields=fields.replace(b"%s", known))
        code, text = site.notify(body)
        expect(code == 550, "%r: a forged bounce got %d %s" % (fields[:20], code, text))
    for text in (b"The Message-ID was <%s>.\n", b"Message-ID: <%s>\n", b"remote said: 550 Message-ID: <%s> is bad\n", b"> Message-ID: <%s>\n", b"\nFrom: a@b.example\nMessage-ID: <%s>\n"):
        site.upstream.reset()
        code, _ = site.notify(report(site.unknown(), text=text.replace(b"%s", known)))
        if code != 550:
            raise Failure("the text %r saves a forged bounce: %d" % (text, code))
    # An id in the body of the returned mail is the sender's text.
    site.upstream.reset()
    site.refused(report(site.unknown(), body=b"On Monday you wrote:\n\nMessage-ID: <" + known + b">\n"))
    # And a forged outer field never refuses a genuine bounce.
    site.upstream.reset()
    site.passed(report(site.known(), fields=b"References: <" + site.unknown() + b">\nIn-Reply-To: <" + site.unknown() + b">\n"))


@case("R18", "what is no bounce is delivered")
def no_bounces(site):
    unknown = site.unknown()
    auto = b"From: a@b.example\nTo: %s\nSubject: Out of office\nAuto-Submitted: auto-replied\nIn-Reply-To: <%s>\nReferences: <%s>\nMessage-ID: <r@b.example>\n\nI am away.\n" % (USER, unknown, unknown)
    mdn = (b"From: a@b.example\nTo: %s\nSubject: Read: x\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nread\n"
           b"--b\nContent-Type: message/disposition-notification\n\nReporting-UA: x\nFinal-Recipient: rfc822; a@b.example\nOriginal-Message-ID: <%s>\n"
           b"Disposition: manual-action/MDN-sent-manually; displayed\n--b--\n" % (USER, unknown))
    forward = (b"From: a@b.example\nTo: %s\nSubject: Fwd: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee below\n--b\nContent-Type: message/rfc822\n\n"
               b"From: x@y.example\nMessage-ID: <%s>\nSubject: x\n\nx\n--b--\n" % (USER, unknown))
    for body in (auto, mdn, forward, b"", b"\n", b"x\n", b"Subject: x\n\nhello\n"):
        site.upstream.reset()
        site.passed(crlf(body))


@case("R18", "a known pair is one of a mail without an id, unless all are recorded")
def pairs_of_mail_with_id(site):
    site.known(rcpts=(b"friend@remote.example",))
    site.refused(report(site.unknown(), failed=b"friend@remote.example"))


@case("R18", "a bounce without any id is undecided, a known pair delivers", settings='record_pairs = "always"', actions='undecided = "refuse"')
def undecided(site):
    site.refused(report(b"", id_field=b"", failed=b"stranger@remote.example"))
    site.known(rcpts=(b"friend@remote.example",))
    site.upstream.reset()
    site.passed(report(b"", id_field=b"", failed=b"friend@remote.example"))
    site.upstream.reset()
    site.passed(report(site.unknown(), failed=b"friend@remote.example"))
    site.upstream.reset()
    site.passed(report(b"", id_field=b"", failed=b"stranger@remote.example", fields=b"References: <" + site.known() + b">\n"))


@case("R15", "a broken structure without any id is unreadable", actions='unreadable = "refuse"')
def unreadable(site):
    for broken in (report(b"", id_field=b"", end=b""), b"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\nMIME-Version: 1.0\r\n" + nested([b"multipart/report"] * 150, report(b"", id_field=b""))):
        site.upstream.reset()
        code, text = site.notify(broken)
        expect(code == 550, "got %d %s" % (code, text))


def bombs(size):
    """Messages of about `size` octets that cost a careless parser much more than their length."""
    head = b"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\nMIME-Version: 1.0\r\n"
    rich = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"

    def fill(piece, before=b"", behind=b"\r\n"):
        return before + piece * (size // len(piece)) + behind
    return {
        "headers": fill(b"X-A: b\r\n", head), "folds": fill(b"\r\n a", head + b"X-A: b"), "one header": fill(b"x", head + b"X-A: "), "header name": fill(b"x", head, b": y\r\n\r\n"),
        "folded blanks": fill(b"\r\n ", head + b"Message-ID:"), "comments": fill(b"(", head + b"Message-ID: "), "comments closed": head + b"Message-ID: " + b"(" * (size // 2) + b")" * (size // 2) + b"<a@b>\r\n\r\n",
        "escapes": fill(b"\\", head + b"Message-ID: ("), "quotes": fill(b'"', head + b"Content-Type: multipart/report; boundary="), "parameters": fill(b";a=b", head + b"Content-Type: text/plain"),
        "boundary": fill(b"x", head + b"Content-Type: multipart/report; boundary=", b"\r\n\r\n--x\r\n"), "parts": fill(b"--b\r\n\r\n", head + rich), "boundaries": fill(b"--b\r\n", head + rich),
        "nearly boundaries": fill(b"--" + b"x" * 69 + b"\r\n", head + b"Content-Type: multipart/mixed; boundary=" + b"x" * 70 + b"\r\n\r\n"),
        "part headers": fill(b"--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n", head + rich),
        "levels": head + nested([b"multipart/mixed"] * (size // 70), b"\r\nx\r\n"), "messages": fill(b"Content-Type: message/rfc822\r\n\r\n", head),
        "deep and boundaries": head + nested([b"multipart/mixed"] * 99, b"\r\n") + fill(b"--n50x\r\n"), "ids": fill(b"Message-ID: <%s@x>\r\n" % (b"i" * 20), head + rich + b"--b\r\nContent-Type: message/rfc822\r\n\r\n"),
        "messages with ids": fill(b"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <iiiiii@x>\r\n\r\n", head + rich),
        "different ids": head + rich + b"".join(b"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <%d@x>\r\n\r\n" % number for number in range(size // 62)),
        "references": fill(b"\r\n <iiiiiiiiii@x>", head + b"References:"), "recipients": fill(b"Final-Recipient: rfc822; a@x.example\r\n\r\n", head + rich + b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"),
        "different recipients": head + b"\r\n" + b"".join(b"<u%d@x.example>:\r\n550 no\r\n" % number for number in range(size // 32)),
        "failed recipients": head + b"X-Failed-Recipients: " + b", ".join(b"u%d@x.example" % number for number in range(size // 20)) + b"\r\n\r\nx\r\n",
        "base64": fill(b"QUFB", head + b"Content-Transfer-Encoding: base64\r\n\r\n"), "base64 in lines": fill(b"QUFBQUFB\r\n", head + b"Content-Transfer-Encoding: base64\r\n\r\n"),
        "quoted-printable": fill(b"=41", head + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"), "soft breaks": fill(b"=\r\n", head + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"),
        "markers": fill(b"--- Below this line is a copy of the message.\r\n\r\n", head + b"\r\n"), "quoted": fill(b"> > > > > > > > ", head + b"\r\n"), "angles": fill(b"<", head + b"\r\n"),
        "received": fill(b"Received: from [192.0.2.1] by x; y\r\n", head + rich + b"--b\r\nContent-Type: message/rfc822\r\n\r\n"), "empty lines": fill(b"\r\n", head + b"\r\n"), "NULs": fill(b"\0", head + b"\r\n"),
        "colons": fill(b":", head), "blocks": fill(b"From: a@b.example\r\nMessage-ID: <x@y>\r\n\r\n", head + b"\r\n"), "encoded words": fill(b"=?utf-8?q?a?= ", head + b"Subject: "),
        "dots": fill(b"..\r\n", head + b"\r\n"), "hyphens": fill(b"-", head + rich), "hyphen lines": fill(b"--\r\n", head + rich), "tabs": fill(b"\t", head + b"Content-Type:"),
    }


@case("R19", "parser bombs: an answer in time, bounded memory")
def parser_bombs(site):
    size = 400_000 if site.is_slow_build else 10_000_000
    limit = 15 if site.is_slow_build else 3
    site.alive()
    worst, slowest, wrong = 0, (0, ""), []
    for name, body in bombs(size).items():
        site.upstream.reset()
        site.reset_peak()
        before = site.rss()
        client = site.client(timeout=60)
        client.do(NULL, 250)
        client.do(b"RCPT TO:<" + USER + b">", 250)
        client.do(b"DATA", 354)
        began = time.monotonic()
        busy = site.cpu()
        code, text = client.send(body + b"\r\n.\r\n").reply(60)
        took, busy = time.monotonic() - began, site.cpu() - busy
        grown = site.peak() - before
        worst, slowest = max(worst, grown), max(slowest, (busy, name))
        if took > limit + size / 10_000_000:
            wrong.append("%s: %.1f s (CPU %.1f)" % (name, took, busy))
        if grown > 16:
            wrong.append("%s: +%.1f MB" % (name, grown))
        expect(code in (250, 550), "%s: got %d %s" % (name, code, text))
        client.close()
    expect(not wrong, "; ".join(wrong))
    site.alive()
    return "worst +%.1f MB, slowest %.2f s CPU (%s) for %.1f MB" % (worst, *slowest, size / 1e6)


@case("R19", "outgoing header bombs", timeout=10)
def outgoing_bombs(site):
    site.alive()
    before = site.rss()
    for name, body in bombs(300_000).items():
        site.upstream.reset()
        client = site.client(timeout=30, source=OUTGOING)
        client.envelope(USER, (b"seed@remote.example",))
        code, text = client.content(body.replace(b"\r\n.", b"\r\n .").replace(b"\0", b" "))
        expect(code in (250, 451), "%s: got %d %s" % (name, code, text))
        expect(code == 250 or not site.upstream.deliveries, "%s: 451, but delivered" % name)
        client.close()
    expect(site.rss() - before < 16, "memory grew by %.1f MB" % (site.rss() - before))


@case("R22", "a flood of unknown ids does not slow known ones")
def flood(site):
    known = site.known()

    def one(id):
        began = time.monotonic()
        site.notify(report(id))
        return time.monotonic() - began
    before = sorted(one(known) for _ in range(9))[4]
    size = os.path.getsize(largest_file(site))
    client = site.client()
    count = 300
    for _ in range(count // 10):
        group = b"".join(b"MAIL FROM:<>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\n" + report(site.unknown()) + b".\r\n" for _ in range(10))
        client.send(group)
        codes = [client.reply()[0] for _ in range(40)]
        expect(codes == [250, 250, 354, 550] * 10, "codes %s" % codes)
    after = sorted(one(known) for _ in range(9))[4]
    expect(after < 3 * before + 0.05, "a known id took %.1f ms, now %.1f ms" % (before * 1000, after * 1000))
    expect(os.path.getsize(largest_file(site)) == size, "the sent log grew")


def largest_file(site):
    return max((os.path.join(folder, name) for folder, _, names in os.walk(site.folder.name) for name in names), key=os.path.getsize)


import os  # noqa: E402
