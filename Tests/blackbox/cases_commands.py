"""R3 to R6, R12 to R14, R20: what stands between MAIL and the end of content."""
import itertools
import time

import bounces
from kit import DOMAIN, NULL, USER, Closed, case, expect

# THREATS 2.2: the spellings that at least one server takes for the null sender. The first group is what a real bounce
# may look like; guardd must take the first five and may refuse the others.
PLAIN = [
    b"MAIL FROM:<>", b"mail from:<>", b"MaIl FrOm:<>", b"MAIL FROM: <>", b"MAIL FROM:   <>", b"MAIL FROM:\t<>", b"MAIL FROM: \t <>",
    b"MAIL FROM:<> ", b"MAIL FROM:<>\t", b"MAIL FROM:<> SIZE=1", b"MAIL FROM:<>  SIZE=1", b"MAIL FROM:<>\tSIZE=1",
    b"MAIL FROM:<> SIZE=1 BODY=8BITMIME", b"MAIL FROM:<> SIZE=1 BODY=8BITMIME RET=HDRS ENVID=x", b"MAIL FROM:<> BODY=7BIT",
    b"MAIL FROM:<> SMTPUTF8", b"MAIL FROM:<> AUTH=<>", b"MAIL FROM:<>" + b" " * 600, b"MAIL FROM:" + b" " * 600 + b"<>",
]
ODD = [
    b"MAIL FROM:\v<>", b"MAIL FROM:\f<>", b"MAIL FROM:<>\r", b"MAIL FROM:\r<>", b"MAIL FROM:<>" + b" " * 2100, b"MAIL FROM:<> SIZE=1 SIZE=2",
    b"MAIL FROM :<>", b"MAIL FROM : <>", b"MAIL FROM:<> X=Y", b"MAIL FROM:", b"MAIL FROM: ", b"MAIL FROM", b"MAIL", b"MAIL ", b"MAIL <>",
    b"MAIL FROM<>", b"MAIL FROM <>", b"MAIL TO:<>", b"MAIL x <>", b"MAIL FROM:<@>", b"MAIL FROM:<", b"MAIL FROM:><", b"MAIL FROM:<> <a@b.example>",
    b"MAIL FROM:a@b.example <>", b"MAIL FROM:<@[]>", b"MAIL FROM:\0<>", b"MAIL FROM:<\0>", b"MAIL\0FROM:<>", b"MAIL FROM:<> =",
    b"MAIL FROM:<> BODY=BINARYMIME", b"MAIL FROM:>", b"MAIL FROM:(c)", b"MAIL FROM:;", b"MAIL FROM:<;>", b"MAIL FROM:x:;", b"MAIL FROM:<x:;>",
    b"MAIL FROM:<,>", b'MAIL FROM:"x" <>', b"MAIL FROM:x <>", b"MAIL FROM:Mail Delivery System <>", b"MAIL FROM:(c) <>", b"MAIL FROM:<> (c)",
    b"MAIL FROM:\xa0<>", b"MAIL FROM:<> SIZE=", b"MAIL  FROM:<>", b"MAIL FROM:<@a,@b:>", b"MAIL FROM:<@a:>", b"MAIL FROM:<@:>", b"MAIL FROM:<>>",
    b"MAIL FROM:<>\0", b"MAIL FROM:<>SIZE=1", b"MAIL FROM:<>x", b"MAIL FROM:<@a.example>", b"MAIL FROM:<><a@b.example>", b"MAIL FROM:< >",
    b"MAIL FROM:<  >", b"MAIL FROM:<\t>", b"MAIL FROM:<\r>", b"MAIL FROM:x<>", b"MAIL FROM:(c)<>", b"MAIL FROM:<>(c)",
    "MAIL FROM:\u3000<>".encode(), b"MAIL FROM:@a:", b"MAIL FROM:@a:<>", b"MAIL FROM:(<>)", b"MAIL\tFROM:<>", b" MAIL FROM:<>", b"MAIL FROM:<(c)>",
    b"MAIL FROM:<()>", b'MAIL FROM:<"">', b'MAIL FROM:""', b"MAIL FROM:<<>>", b"MAIL FROM:<\v>", b"MAIL FROM:<#@[]>", b"MAIL FROM:#@[]",
    b"MAIL FROM:<MAILER-DAEMON@remote.example>", b"MAIL FROM:<mailer-daemon@x>", b"MAIL FROM:MAILER-DAEMON@remote.example",
    b'MAIL FROM:<"MAILER-DAEMON"@remote.example>', b'MAIL FROM:<"mailer\\-daemon"@remote.example>', 
    b"MAIL FROM:a@b.example AUTH=<>", b"MAIL FROM:<a@b.example> <>", b"MAIL FROM:<a@b.example>\t<>", b'MAIL FROM:<""@b.example>',
    b"MAIL FROM:<a@b.example\0>", b"MAIL FROM:<\0a@b.example>", b"MAIL FROM:<@a:b@c.example>", b"MAIL FROM:<a@b.example>\0", b"MAIL FROM:<a@>",
    b"MAIL FROM:<@b.example>", b"MAIL FROM:<a@b.example> FROM:<>", b"MAIL FROM:\"<>\" <a@b.example>",
]


@case("R4", "plain spellings of the null sender are taken and judged")
def plain_null_senders(site):
    for line in PLAIN:
        site.upstream.reset()
        code, text = site.notify(bounces.report(site.unknown()), mail=line)
        expect(code == 550, "%r: a forged bounce got %d %s" % (line[:50], code, text[:60]))
        expect(not site.upstream.deliveries, "%r: delivered" % line[:50])


@case("R4", "odd spellings of the null sender are refused or judged")
def odd_null_senders(site):
    taken = 0
    for line in ODD:
        site.upstream.reset()
        site.upstream.framing = "lf"
        client = site.client()
        client.send(line + b"\r\n")
        try:
            code, _ = client.reply()
        except Closed:
            continue
        if code != 250:
            expect(code >= 500, "%r: got %d" % (line[:50], code))
            expect(not any(b"MAIL" in one.upper() for one in site.upstream.lines()), "%r went upstream though it was refused" % line[:50])
            # and the session is still in step
            client.do(b"RSET", 250)
            continue
        taken += 1
        client.do(b"RCPT TO:<" + USER + b">", 250)
        code, text = client.content(bounces.report(site.unknown()))
        expect(code == 550, "%r was taken, and a forged bounce behind it got %d %s" % (line[:50], code, text[:60]))
        client.close()
    return "%d of %d taken" % (taken, len(ODD))


@case("R4", "ordinary senders pass as they came")
def ordinary_senders(site):
    lines = [
        b"MAIL FROM:<a@b.example>", b"mail from: <a@b.example>", b"MAIL FROM:a@b.example", b'MAIL FROM:<"a b"@b.example>', b"MAIL FROM:<a@[192.0.2.1]>", b"MAIL FROM:<a@b.example> AUTH=<>",
        b"MAIL FROM:<a@[IPv6:2001:db8::1]>", b"MAIL FROM:<a+b=c.example@d.example>", "MAIL FROM:<\u00e4@b.example> SMTPUTF8".encode(),
        b"MAIL FROM:<a@b.example> SIZE=10 BODY=8BITMIME RET=FULL ENVID=abc+2B", b"MAIL FROM:<a.@b.example>", b"MAIL FROM:<a..b@c.example>",
        b"MAIL FROM:<SRS0=abcd=xy=c.example=d@e.example>", b"MAIL FROM:<a@under_score.example>", b"MAIL FROM:<prvs=1234567890=a@b.example>",
        b"MAIL FROM:<" + b"l" * 64 + b"@b.example>", b"MAIL FROM:<a@" + b"l" * 60 + b"." + b"l" * 60 + b".example>", b"MAIL FROM:<a@b>",
    ]
    for line in lines:
        site.upstream.reset()
        client = site.client()
        client.do(line, 250)
        client.do(b"RCPT TO:<" + USER + b"> NOTIFY=NEVER ORCPT=rfc822;" + USER, 250)
        expect(client.content(b"Subject: x\r\n\r\nx\r\n")[0] == 250, "%r: refused" % line)
        expect(line in site.upstream.lines(), "%r was changed: %r" % (line, site.upstream.lines()))


@case("R4", "recipients whose domain can't be read count as protected")
def odd_recipients(site):
    lines = [
        b"RCPT TO:<user>", b"RCPT TO:<user@[192.0.2.1]>", b"RCPT TO:<@a.example:user@protected.example>", b"RCPT TO:<user@protected.example.>",
        b"RCPT TO:<user%protected.example@other.example>", b"RCPT TO:<protected.example!user@other.example>", "RCPT TO:<user@pr\u00f6tected.example>".encode(),
        b"RCPT TO:<user@PROTECTED.example>", b"RCPT TO:user@protected.example", b'RCPT TO:<"user@protected.example"@other.example>',
        b'RCPT TO:<"user"@protected.example>', b"rcpt to: <user@protected.example>", b"RCPT TO:<user@192.0.2.1>", b"RCPT TO:<user@protected.example >",
        b"RCPT TO:<user@other.example@protected.example>", b"RCPT TO:<user@protected.example@other.example>", b"RCPT TO:< user@protected.example>",
        b"RCPT TO:<user@(c)protected.example>", b"RCPT TO:<user@protected.example(c)>", b"RCPT TO:<user@protected.example>(c)",
        b"RCPT TO:<user@protected.example> <x@other.example>", b"RCPT TO:x <user@protected.example>", b"RCPT TO:<x@other.example,user@protected.example>",
        b"RCPT TO:<user@protected.example\0.other.example>", b"RCPT TO:<x@other.example> ORCPT=rfc822;x <user@protected.example>", b"RCPT  TO:<user@protected.example>",
        b"RCPT TO:<user@protected.example>x", b"RCPT TO:<+user@protected.example>", b"RCPT TO:<us\\er@protected.example>", b"RCPT TO:<user@protected..example>",
        b"RCPT TO:<user@.protected.example>", b"RCPT TO:<user@#3221225985>", b"RCPT TO:<>", b"RCPT TO:<@protected.example>",
    ]
    taken = 0
    for line in lines:
        site.upstream.reset()
        client = site.client()
        client.do(NULL, 250)
        code, _ = client.command(line)
        if code != 250:
            continue
        taken += 1
        code, text = client.content(bounces.report(site.unknown()))
        expect(code == 550, "%r was taken, and a forged bounce behind it got %d %s" % (line, code, text[:60]))
    expect(taken > 5, "only %d were taken: nothing is shown" % taken)
    return "%d of %d taken" % (taken, len(lines))


@case("R3", "bare LF, CR, NUL in commands never go upstream, one reply a line")
def controls_in_commands(site):
    lines = [
        (b"MAIL FROM:<a@b.example>\nRCPT TO:<user@protected.example>\r\n", (1, 2)), (b"MAIL FROM:<a@b.example>\rRCPT TO:<user@protected.example>\r\n", (1,)),
        (b"NOOP\0x\r\n", (1,)), (b"NOOP \0\r\n", (1,)), (b"MAIL FROM:<a@b.example\0>\r\n", (1,)), (b"NOOP\n", (1,)), (b"NOOP\nNOOP\n", (2,)),
        (b"\n", (1,)), (b"\r\n", (1,)), (b"NOOP\r\r\n", (1,)), (b"RSET\x1b[2J\r\n", (1,)), (b"VRFY a\nMAIL FROM:<>\r\n", (1, 2)), (b"EHLO a\nMAIL FROM:<x@y.example>\r\n", (1, 2)),
        (b"HELP \r MAIL\r\n", (1,)), (b"NOOP\r\n\n", (2,)), (b"\rNOOP\r\n", (1,)), (b"ETRN x\n.\nQUIT\r\n", (1, 2, 3)),
    ]
    for octets, counts in lines:
        for cut in (False, True):
            site.upstream.reset()
            client = site.client()
            site.upstream.hook = lambda connection, verb, line: b"250 marked\r\n" if line == b"NOOP mark" else None
            before = len(site.upstream.lines())
            for part in ([octets[i:i + 1] for i in range(len(octets))] if cut else [octets]):
                client.send(part).is_read()
            client.send(b"NOOP mark\r\n")
            replies = [client.reply()]
            try:
                while replies[-1][1] != b"marked":
                    replies.append(client.reply(2))
            except Closed:
                continue
            expect(len(replies) - 1 in counts, "%r: %d replies, not %s" % (octets, len(replies) - 1, counts))
            for line in site.upstream.lines()[before:]:
                expect(not set(line) & {0, 10, 13}, "a control character went upstream: %r" % line)
            client.close()


@case("R5", "the verdict belongs to the transaction that upstream accepted")
def switched_senders(site):
    good, null, rcpt = b"MAIL FROM:<a@client.example>", NULL, b"RCPT TO:<" + USER + b">"
    forged = bounces.report(site.unknown())
    sequences = {
        "MAIL good, RSET, MAIL null": [good, b"RSET", null, rcpt], "MAIL good, EHLO, MAIL null": [good, rcpt, b"EHLO again.example", null, rcpt],
        "MAIL good, HELO, MAIL null": [good, b"HELO again.example", null, rcpt], "nested MAIL null": [good, null, rcpt, b"RSET", null, rcpt],
        "MAIL null, nested good": [null, good, rcpt], "MAIL null, RCPT, nested good": [null, rcpt, good],
        "refused good, MAIL null": [b"MAIL FROM:<refuse-me@client.example>", null, rcpt], "MAIL null, refused good": [null, b"MAIL FROM:<refuse-me@client.example>", rcpt],
        "null with a bad parameter, null": [b"MAIL FROM:<> BAD=" + b"x", null, rcpt], "MAIL null, NOOP, VRFY, HELP": [null, b"NOOP", b"VRFY x", b"HELP", rcpt],
        "MAIL good, DATA early, RSET, MAIL null": [good, b"DATA", b"RSET", null, rcpt], "RSET with an argument": [good, b"RSET x", b"RSET", null, rcpt],
        "HELO without an argument": [good, b"HELO", b"EHLO", b"RSET", null, rcpt], "refused EHLO keeps the null sender": [null, b"EHLO refuse-me", rcpt],
    }

    def hook(connection, verb, line):
        if verb in ("MAIL", "EHLO") and b"refuse-me" in line:
            return b"550 5.7.1 no\r\n"

    for (name, lines), pipelined, resets in itertools.product(sequences.items(), (False, True), (False, True)):
        site.upstream.reset()
        site.upstream.hook, site.upstream.mail_resets = hook, resets
        client = site.client()
        if pipelined:
            client.send(b"".join(line + b"\r\n" for line in lines))
        for line in lines:
            if not pipelined:
                client.send(line + b"\r\n")
            client.reply()
        code, _ = client.command(b"DATA")
        if code == 354:
            code, text = client.send(forged + b".\r\n").reply()
            expect(code == 550, "%s (pipelined %s, resets %s): a forged bounce got %d %s" % (name, pipelined, resets, code, text[:60]))
        expect(not site.upstream.deliveries, "%s: delivered" % name)
        client.close()


@case("R5", "a MAIL behind a refused MAIL and its RCPT, answered late")
def late_replies_of_a_refused_mail(site):
    from upstream import Later

    def hook(connection, verb, line):
        if verb == "MAIL" and b"refuse-me" in line:
            return b"550 5.7.1 no\r\n"
        if verb == "RCPT":
            return Later(0.15, None)

    site.upstream.hook = hook
    client = site.client()
    client.send(b"MAIL FROM:<refuse-me@x.example>\r\nRCPT TO:<" + USER + b">\r\nMAIL FROM:<>\r\nRCPT TO:<x@other.example>\r\nRCPT TO:<" + USER + b">\r\n")
    codes = [client.reply()[0] for _ in range(5)]
    expect(codes[:3] == [550, 503, 250], "replies %s" % codes)
    if codes[3] == 250:
        expect(codes[4] == 452, "a recipient under another policy got %d" % codes[4])
    code, _ = client.command(b"DATA")
    expect(code == 354, "DATA got %d" % code)
    client.send(b"x\r\n.\r\n").want(250)


@case("R5", "a MAIL alone behind a refused MAIL and its RCPT, answered late")
def mail_behind_late_replies(site):
    from upstream import Later
    site.upstream.hook = lambda connection, verb, line: b"550 5.7.1 no\r\n" if b"refuse-me" in line else Later(0.1, None) if verb == "RCPT" else None
    client = site.client()
    client.send(b"MAIL FROM:<refuse-me@x.example>\r\nRCPT TO:<" + USER + b">\r\nRCPT TO:<a@b.example>\r\nMAIL FROM:<>\r\n")
    codes = [client.reply()[0] for _ in range(4)]
    expect(codes == [550, 503, 503, 250], "replies %s" % codes)
    client.do(b"RCPT TO:<" + USER + b">", 250)
    expect(client.content(bounces.report(site.unknown()))[0] == 550, "not judged")


@case("R6", "text and commands behind DATA in the same segment are text")
def commands_behind_data(site):
    body = b"Subject: x\r\n\r\nMAIL FROM:<>\r\nRCPT TO:<victim@x.example>\r\nQUIT\r\n"
    client = site.client()
    client.send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\n" + body + b".\r\nNOOP\r\n")
    client.want(250), client.want(250), client.want(354)
    client.want(250), client.want(250)
    site.delivered(body)
    # Refused DATA: what follows are commands again, and none of them a transaction that the client did not mean.
    site.upstream.reset()
    client = site.client()
    client.send(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<nobody@protected.example>\r\nDATA\r\nNOOP\r\n")
    client.want(250), client.want(550), client.want(554, 503), client.want(250)
    expect(not site.upstream.deliveries, "delivered")
    # A forged bounce in one segment with the next transaction behind it.
    client = site.client()
    forged = bounces.report(site.unknown())
    client.send(b"MAIL FROM:<>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\n" + forged + b".\r\nMAIL FROM:<b@client.example>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\n" + body + b".\r\nQUIT\r\n")
    codes = [client.reply()[0] for _ in range(8)]
    expect(codes == [250, 250, 354, 550, 250, 250, 354, 250], "replies %s" % codes)
    client.want(221)
    site.delivered(body)


@case("R12", "only keywords of the list are passed on")
def keywords(site):
    bad = ["STARTTLS", "XCLIENT NAME ADDR", "XFORWARD NAME ADDR", "REQUIRETLS", "BURL imap", "XEXCH50", "X-LINK2STATE", "X-EXPS GSSAPI", "TURN", "ATRN", "XYZZY", "FUTURERELEASE 1 2", "CHECKPOINT"]
    good = ["PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING", "BINARYMIME", "DELIVERBY 240", "MT-PRIORITY MIXER",
            "LIMITS RCPTMAX=5", "VRFY", "ETRN", "HELP", "AUTH PLAIN LOGIN"]
    site.upstream.keywords = [word for pair in itertools.zip_longest(good, bad) for word in pair if word]
    got = site.client(ehlo=False).ehlo()
    expect(sorted(got) == sorted(good), "offered %s" % got)
    for set_up, not_there in ((["BINARYMIME", "SIZE"], "BINARYMIME"), ([], "PIPELINING"), (["8BITMIME"], "CHUNKING")):
        site.upstream.reset()
        site.upstream.keywords = set_up
        got = site.client(ehlo=False).ehlo()
        expect(not_there not in got, "%s is offered though upstream can't" % not_there)
        expect(all(word in set_up for word in got), "offered %s of %s" % (got, set_up))


@case("R12", "extensions that are not offered are refused and their data never run")
def extensions_not_offered(site):
    site.upstream.keywords = ["PIPELINING"]
    client = site.client()
    client.envelope()
    smuggled = b"RSET\r\nMAIL FROM:<evil@x.example>\r\n"
    client.send(b"BDAT %d LAST\r\n" % len(smuggled) + smuggled)
    code, _ = client.reply()
    expect(code >= 500, "BDAT without CHUNKING got %d" % code)
    client.quit()
    expect(not any(b"evil" in line for line in site.upstream.lines()), "data of BDAT went upstream as commands")
    for line in (b"STARTTLS", b"XCLIENT ADDR=192.0.2.1", b"XFORWARD ADDR=192.0.2.1", b"TURN", b"ATRN x", b"BURL imap://x LAST", b"XEXCH50 1 2", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2"):
        client = site.client()
        code, _ = client.command(line)
        expect(500 <= code, "%r got %d" % (line, code))
        expect(not any(line.split(b" ")[0] in one for one in site.upstream.lines()), "%r went upstream" % line)
        client.close()


@case("R13", "sizes of BDAT")
def chunk_sizes(site):
    for size in (b"-1", b"+5", b"0x5", b"5 LAST x", b"5LAST", b"99999999999999999999", b"18446744073709551617", b"18446744073709551621 LAST", b"", b"LAST",
                 b"5,", b"5.0", b"5 LASTING", b"\xb2", b"5 last last", b"9223372036854775808", b" ", b"1 2"):
        client = site.client()
        client.envelope()
        client.send(b"BDAT " + size + b"\r\n")
        code, _ = client.reply()
        expect(code >= 500, "BDAT %r got %d" % (size, code))
        expect(not any(b"BDAT" in line for line in site.upstream.lines()), "BDAT %r went upstream" % size)
        client.close()


@case("R13", "chunks are opaque and identical")
def chunks_are_opaque(site):
    body = b"Subject: x\r\n\r\n.\r\n..\r\n\r\n.\r\nMAIL FROM:<>\r\nbare\nLF and\rCR, NUL \0\n.\n.\r\r\n.\0\r\nno end of line"
    for size in (None, 1, 3, 7, 1000):
        for sender, rcpts in ((b"a@client.example", (USER,)), (b"", (b"x@other.example",))):
            site.upstream.reset()
            client = site.client()
            client.envelope(sender, rcpts)
            code, text = client.chunks(body, size)
            expect(code == 250, "chunks of %s got %d %s" % (size, code, text))
            site.delivered(body)
            client.do(b"NOOP", 250)
            client.close()
    # LAST alone in a chunk of nothing, and all pipelined
    site.upstream.reset()
    client = site.client()
    client.envelope()
    client.send(b"BDAT 5\r\nhello" b"BDAT 0\r\n" b"BDAT 0 LAST\r\nNOOP\r\n")
    for _ in range(4):
        client.want(250)
    site.delivered(b"hello")


@case("R13", "chunks of a notification: held, judged, released identical")
def held_chunks(site):
    for via in ("bdat", 1, 100):
        site.upstream.reset()
        site.both(lambda id: bounces.report(id) + b"\n.\n.\r\nbare\r.\r\0", via=via)
    client = site.client()
    forged = bounces.report(site.unknown())
    client.send(b"MAIL FROM:<>\r\nRCPT TO:<" + USER + b">\r\nBDAT %d\r\n" % len(forged) + forged + b"BDAT 0 LAST\r\nNOOP\r\n")
    codes = [client.reply()[0] for _ in range(5)]
    expect(codes == [250, 250, 250, 550, 250], "replies %s" % codes)


@case("R13", "DATA among chunks is 503, a refused chunk is swallowed, a loss before LAST is no message")
def chunks_and_data(site):
    client = site.client()
    client.envelope()
    client.send(b"BDAT 5\r\nhello").want(250)
    client.do(b"DATA", 503)
    client.do(b"MAIL FROM:<b@c.example>", 503)
    client.do(b"RCPT TO:<b@c.example>", 503)
    client.do(b"RSET", 250)
    client.envelope(b"")
    client.send(b"BDAT 5\r\nhello").want(250)
    client.do(b"DATA", 503)
    client.do(b"RSET", 250)
    # without MAIL, without RCPT
    client.send(b"BDAT 12\r\nMAIL FROM:<>").want(503, 554)
    client.do(b"MAIL FROM:<a@b.example>", 250)
    client.send(b"BDAT 6 LAST\r\nRSET\r\n").want(503, 554)
    client.do(b"RSET", 250)
    expect(not site.upstream.deliveries, "delivered")
    client.close()
    for sender in (b"a@b.example", b""):
        for cut in ("close", "cut"):
            client = site.client()
            client.envelope(sender)
            client.send(b"BDAT 5\r\nhello").want(250)
            client.send(b"BDAT 10 LAST\r\n12345")
            getattr(client, cut)()
            expect(site.upstream.wait(lambda: not site.upstream.live, 10), "upstream connection stays after the client's death")
            expect(not site.upstream.deliveries, "a message was made of half of it")


@case("R14", "an upstream without PIPELINING gets one command at a time")
def no_pipelining_upstream(site):
    from upstream import Later
    for chunking in (False, True):
        site.upstream.reset()
        site.upstream.keywords = ["8BITMIME"] + (["CHUNKING"] if chunking else [])
        site.upstream.hook = lambda connection, verb, line: Later(0.03, None) if verb not in ("CONNECT", "BODY", "BDAT") else None
        body = b"Subject: x\r\n\r\nx\r\n"
        client = site.client()
        content = b"BDAT %d\r\n" % len(body) + body + b"BDAT 0 LAST\r\n" if chunking else b"DATA\r\n" + body + b".\r\n"
        group = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<" + USER + b">\r\nRCPT TO:<nobody@protected.example>\r\nRCPT TO:<b@protected.example>\r\n" + content
        client.send(group + b"RSET\r\n" + group + b"QUIT\r\n")
        codes = []
        try:
            while True:
                codes.append(client.reply()[0])
        except Closed:
            pass
        one = [250, 250, 550, 250] + ([250, 250] if chunking else [354, 250])
        expect(codes == one + [250] + one + [221], "replies %s" % codes)
        expect(len(site.upstream.deliveries) == 2, "%d deliveries" % len(site.upstream.deliveries))
        expect(not site.upstream.violations, site.upstream.violations[:2])


@case("R14", "a held notification and its release to an upstream without PIPELINING")
def no_pipelining_release(site):
    from upstream import Later
    for keywords, via in ((["8BITMIME"], "data"), (["8BITMIME", "CHUNKING"], "bdat"), (["8BITMIME", "CHUNKING"], 200)):
        for id, code in ((site.unknown(), 550), (site.known(), 250)):
            for padding in (0, 600_000):
                site.upstream.reset()
                site.upstream.keywords = keywords
                site.upstream.hook = lambda connection, verb, line: Later(0.02, None) if verb not in ("CONNECT", "BODY", "BDAT") else None
                body = bounces.report(id, text=(b"x" * 70 + b"\n") * (padding // 71))
                client = site.client()
                got, text = site.notify(body, client=client, via=via if not padding or via == "data" else "bdat", timeout=30)
                expect(got == code, "%s, %d of padding: got %d %s" % (via, padding, got, text))
                client.envelope(b"next@client.example")
                expect(client.content(b"x\r\n")[0] == 250, "the next mail is refused")
                expect(not site.upstream.violations, site.upstream.violations[:2])
                client.close()


@case("R20", "long commands are refused, long text lines pass")
def long_lines(site):
    client = site.client()
    for octets in (b"NOOP " + b"x" * 2100, b"MAIL FROM:<" + b"x" * 3000 + b"@a.example>", b"RCPT TO:<a@b.example> " + b"x" * 5000, b"EHLO " + b"x" * 2500, b"y" * 20_000):
        client.do(octets, 500, 501, 503)
        expect(not any(len(line) > 2048 for line in site.upstream.lines()), "a long line went upstream")
    client.do(b"NOOP", 250)
    client = site.client()
    client.send(b"NOOP " + b"x" * 40_000 + b"\r\nNOOP\r\n")
    client.want(500), client.want(250)
    client = site.client()
    try:
        for _ in range(40):
            client.send(b"z" * 65536)
        code = client.closed_within(5)
        expect(code is not None, "2.6 MB without a line end are still read")
    except Closed:
        pass
    for size in (998, 2049, 65_536, 1_000_000):
        for sender in (b"a@b.example", b""):
            site.upstream.reset()
            body = b"Subject: x\r\n\r\n" + b"x" * size + b"\r\n"
            client = site.client()
            client.envelope(sender)
            expect(client.content(body)[0] == 250, "a text line of %d octets is refused" % size)
            site.delivered(body)


@case("R20", "an initial response of AUTH may be long")
def long_auth(site):
    site.upstream.keywords = ["AUTH PLAIN"]
    client = site.client()
    client.do(b"AUTH PLAIN " + b"QUJD" * 2000, 235)
    client = site.client()
    client.do(b"AUTH PLAIN " + b"QUJD" * 4000, 500)


@case("R5", "odd order of commands answers as SMTP does")
def odd_order(site):
    client = site.client(ehlo=False)
    for line, codes in ((b"DATA", (503,)), (b"RCPT TO:<a@b.example>", (503,)), (b"NOOP", (250,)), (b"RSET", (250,)), (b"BOGUS", (500, 502)), (b"", (500,)),
                        (b"EHLO", (501,)), (b"MAIL FROM:<a@b.example>", (250, 503)), (b"QUIT", (221,))):
        client.do(line, *codes)
    client = site.client()
    client.do(b"MAIL FROM:<>", 250)
    client.do(b"DATA", 503, 554)
    client.do(b"RCPT TO:<nobody@protected.example>", 550)
    client.do(b"DATA", 503, 554)
    client.do(b"RCPT TO:<" + USER + b">", 250)
    client.do(b"QUIT x", 501)
    client.do(b"DATA x", 501)
    expect(client.content(bounces.report(site.unknown()))[0] == 550, "not judged")
    client.do(b"DATA", 503)
    began = time.monotonic()
    client.do(b"QUIT", 221)
    expect(client.closed_within(3) == [], "not closed after QUIT")
    expect(time.monotonic() - began < 2, "QUIT took long")


@case("R5", "recipients under another policy are put off, the same policy shares a transaction")
def mixed_recipients(site):
    client = site.client()
    client.do(NULL, 250)
    client.do(b"RCPT TO:<" + USER + b">", 250)
    client.do(b"RCPT TO:<x@other.example>", 452)
    client.do(b"RCPT TO:<postmaster@protected.example>", 452)
    client.do(b"RCPT TO:<second@protected.example>", 250)
    expect(client.content(bounces.report(site.unknown()))[0] == 550, "not judged")
    client.do(NULL, 250)
    client.do(b"RCPT TO:<x@other.example>", 250)
    client.do(b"RCPT TO:<" + USER + b">", 452)
    expect(client.content(bounces.report(site.unknown()))[0] == 250, "an unprotected domain is judged")
    client.do(NULL, 250)
    client.do(b"RCPT TO:<nobody@other.example>", 550)
    client.do(b"RCPT TO:<" + USER + b">", 250)
    expect(client.content(bounces.report(site.unknown()))[0] == 550, "a refused first recipient switched the judgement off")
    # The same pipelined in one segment.
    client.send(NULL + b"\r\nRCPT TO:<nobody@other.example>\r\nRCPT TO:<" + USER + b">\r\nRCPT TO:<x@other.example>\r\nDATA\r\n")
    codes = [client.reply()[0] for _ in range(5)]
    expect(codes == [250, 550, 250, 452, 354], "replies %s" % codes)
    client.send(bounces.report(site.unknown()) + b".\r\n").want(550)


@case("S4", "the log of sent mail is fed by outgoing clients only")
def strangers_do_not_plant_ids(site):
    id = site.unknown()
    client = site.client()
    client.envelope(b"stranger@client.example")
    expect(client.content(b"Message-ID: <" + id + b">\r\n\r\nx\r\n")[0] == 250, "refused")
    client.envelope(b"stranger@" + DOMAIN)
    expect(client.content(b"Message-ID: <" + id + b">\r\n\r\nx\r\n")[0] == 250, "refused")
    site.upstream.reset()
    site.refused(bounces.report(id))
    # Nor by bounces that leave.
    client = site.client(source="127.0.0.9")
    client.envelope(b"", (b"x@remote.example",))
    expect(client.content(b"Message-ID: <" + id + b">\r\n\r\nx\r\n")[0] == 250, "refused")
    site.upstream.reset()
    site.refused(bounces.report(id))
