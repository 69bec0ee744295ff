"""R10, section 4: an upstream that is not there, dies or talks nonsense; a sent log that can't be written or read."""
import itertools
import os
import time

import bounces
from kit import DOMAIN, NULL, OUTGOING, USER, Closed, Failure, case, expect
from upstream import DEAF, DROP, MUTE, RESET, Last, Later

BODY = b"Subject: x\r\n\r\nx\r\n"


def on(wanted, answer, times=10 ** 6):
    left = [times]

    def hook(connection, verb, line):
        if verb == wanted and left[0] > 0:
            left[0] -= 1
            return answer
    return hook


def through(client, sender=b"a@b.example", body=BODY, rcpts=(USER,)):
    """Codes of a whole transaction; stops at the first that is no success. 0: closed without a word."""
    codes = []
    try:
        for line in [b"MAIL FROM:<" + sender + b">"] + [b"RCPT TO:<" + rcpt + b">" for rcpt in rcpts]:
            codes.append(client.command(line)[0])
            if codes[-1] >= 300:
                return codes
        codes.append(client.command(b"DATA")[0])
        if codes[-1] == 354:
            codes.append(client.send(body + b".\r\n").reply()[0])
    except Closed:
        codes.append(0)
    return codes


def from_ehlo(client, *transaction):
    """The same with EHLO before it."""
    try:
        code = client.command(b"EHLO x")[0]
    except Closed:
        return [0]
    return [code] + through(client, *transaction) if code == 250 else [code]


GARBAGE = {
    "text": b"hello there\r\n", "bare LF": b"250 ok\n", "one digit": b"2\r\n", "999": b"999 x\r\n", "000": b"000 x\r\n", "1xx": b"150 x\r\n", "NUL": b"250 a\0b\r\n", "bare CR": b"250 a\rb\r\n",
    "long line": b"250 " + b"x" * 5000 + b"\r\n", "2000 lines": b"250-x\r\n" * 2000 + b"250 x\r\n", "code changes": b"250-x\r\n550 y\r\n", "without end": b"250-x\r\n" * 200_000,
    "354": b"354 go on\r\n", "no end of line": b"x" * 200_000, "TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
}


@case("R10", "garbage instead of a reply is a lost connection", timeout=2)
def garbage(site):
    for (name, octets), verb in itertools.product(GARBAGE.items(), ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "EOD")):
        if name == "354" and verb == "DATA":
            continue
        site.upstream.reset()
        site.upstream.hook = on(verb, octets)
        client = site.client(ehlo=False)
        try:
            codes = from_ehlo(client)
        except Failure as failure:
            raise Failure("%s at %s: %s" % (name, verb, failure))
        # 0 is a close: allowed where a reply would be out of step.
        expect(codes[-1] == 0 or 400 <= codes[-1] < 500, "%s at %s: codes %s" % (name, verb, codes))
        expect(not (verb == "EOD" and codes[-1] == 250), "%s at %s: acknowledged" % (name, verb))
        client.close()
    site.alive()


@case("R10", "upstream dies or says 421 at each step", timeout=2)
def deaths(site):
    steps = ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "EOD")
    for verb, answer, sender in itertools.product(steps, (DROP, RESET, Last(b"421 4.3.2 going down\r\n"), MUTE), (b"a@b.example", b"")):
        if verb == "BODY" and answer is MUTE:
            continue
        site.upstream.reset()
        site.upstream.hook = on(verb, answer)
        client = site.client(ehlo=False)
        codes = from_ehlo(client, sender, BODY * (20_000 if verb == "BODY" and not sender else 1))
        if verb == "BODY" and codes[-1] == 250:
            expect(len(site.upstream.deliveries) == 1, "%s at BODY: 250 without a delivery" % (answer,))
            continue
        expect(codes[-1] == 0 or 400 <= codes[-1] < 500, "%s at %s from <%s>: codes %s" % (answer, verb, sender.decode(), codes))
        if isinstance(answer, Last) and verb not in ("BODY", "EOD"):
            expect(codes[-1] in (421, 451, 0), "421 at %s: codes %s" % (verb, codes))
        client.close()
    site.alive()


@case("R10", "refusals keep their code and text", timeout=5)
def refusals(site):
    for verb, reply in itertools.product(("MAIL", "RCPT", "DATA", "EOD"), (b"550-5.7.1 first line\r\n550 5.7.1 second line\r\n", b"451 4.3.0 later\r\n", b"552 5.3.4 too big\r\n")):
        for sender, id in ((b"a@b.example", None), (b"", site.known())):
            site.upstream.reset()
            site.upstream.hook = on(verb, reply)
            client = site.client()
            client.send(b"")
            body = bounces.report(id) if id else BODY
            steps = [b"MAIL FROM:<" + sender + b">\r\n", b"RCPT TO:<" + USER + b">\r\n", b"DATA\r\n", body + b".\r\n"]
            at = ("MAIL", "RCPT", "DATA", "EOD").index(verb)
            for number, octets in enumerate(steps):
                code, text = client.send(octets).reply()
                if code >= 400:
                    break
            if sender or verb != "DATA":
                expect(number == at, "%s refused, the client heard it at %d" % (verb, number))
            expect(reply.startswith(b"%d" % code) and text.replace(b"\n", b"|") in b"|".join(line[4:] for line in reply.split(b"\r\n")), "%s: %d %s" % (verb, code, text))
            expect(not site.upstream.deliveries, "delivered")
            client.do(b"RSET", 250)
            site.upstream.hook = None
            expect(through(client)[-1] == 250, "the next mail of the session fails")
            client.close()


@case("R10", "replies that nobody asked for are a lost connection")
def unasked_replies(site):
    # Idle: the session goes on with another connection, or ends with 421; nothing of it reaches the client.
    for octets in (b"250 surprise\r\n", b"421 4.4.2 timeout\r\n", b"554 surprise\r\n", b"garbage"):
        site.upstream.reset()
        client = site.client()
        site.upstream.push(octets)
        code, text = client.command(b"NOOP")
        expect(code == 250 and text == b"2.0.0 Ok" or code == 421, "after %r NOOP got %d %s" % (octets, code, text))
        expect(octets[4:].strip() not in text, "the client hears %r" % text)
        codes = through(client)
        expect(codes == [250, 250, 354, 250] or codes[-1] in (421, 0), "after %r: codes %s" % (octets, codes))
        client.close()
    # In the body: an early 2xx must not become the acknowledgement.
    for sender in (b"a@b.example", b""):
        for octets in (b"250 2.0.0 Ok: queued\r\n", b"354 more\r\n", b"garbage\r\n", b"550 5.7.1 stop it\r\n", b"421 bye\r\n"):
            site.upstream.reset()
            client = site.client()
            client.envelope(sender)
            client.do(b"DATA", 354)
            client.send(b"half\r\n")
            client.is_read()
            if sender:
                site.upstream.wait(lambda: site.upstream.all[-1].received > 0)
            site.upstream.push(octets)
            try:
                code, text = client.send(b"more\r\n.\r\n").reply()
            except Closed:
                code = 0
            if sender:
                expect(code == 0 or code >= 400, "early %r in the body: got %d" % (octets, code))
                expect(octets[:3] != b"250" or code == 0 or 400 <= code < 500, "early 250: got %d" % code)
                expect(octets[:3] != b"550" or code in (0, 550), "early 550: got %d" % code)
                expect(not site.upstream.deliveries, "delivered")
            else:
                expect(code == 0 or code >= 400 or len(site.upstream.deliveries) == 1, "held: got %d" % code)
            client.close()
    # Two replies to one command.
    site.upstream.reset()
    site.upstream.hook = on("RCPT", b"250 one\r\n250 two\r\n")
    client = site.client()
    codes = through(client)
    expect(codes[-1] == 0 or codes[-1] >= 400, "an answer was counted twice: %s" % codes)
    expect(not site.upstream.deliveries, "delivered")


@case("R10", "354 to a client whose MAIL or RCPT was refused")
def data_without_transaction(site):
    for verb, chunked in (("MAIL", False), ("RCPT", False), ("MAIL", True), ("RCPT", True)):
        site.upstream.reset()
        answers = {"MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n", "DATA": b"354 go on\r\n", verb: b"550 5.7.1 no\r\n"}
        site.upstream.hook = lambda connection, one, line: Later(0.05, answers[one]) if one in answers else None
        client = site.client()
        content = b"BDAT 5 LAST\r\nhello" if chunked else b"DATA\r\nhello\r\n.\r\n"
        client.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<" + USER + b">\r\n" + content + b"QUIT\r\n")
        codes = client.closed_within(20)
        expect(codes and 550 in codes and 250 not in codes[2:], "%s refused: replies %s" % (verb, codes))
    site.alive()


@case("R10", "early refusal of a large mail: its text reaches the client")
def early_refusal(site):
    for how in ("stays", "closes"):
        site.upstream.reset()
        answer = b"552 5.3.4 message too big\r\n"
        site.upstream.hook = on("BODY", answer, 1) if how == "stays" else on("BODY", Last(answer))
        client = site.client(timeout=20)
        client.envelope()
        code, text = client.content(b"x" * 70 + b"\r\n" + (b"x" * 70 + b"\r\n") * 100_000)
        expect(code == 552 or (how == "closes" and 400 <= code < 500), "%s: got %d %s" % (how, code, text))
        client.close()


@case("S4", "upstream that can't be reached: 421 or 4xx", upstream_port=1)
def unreachable(site):
    client = site.client(ehlo=False)
    code, _ = client.command(b"EHLO x")
    expect(400 <= code < 500, "EHLO got %d" % code)
    client = site.client(ehlo=False)
    code, _ = client.command(b"MAIL FROM:<a@b.example>")
    expect(400 <= code < 500 or code == 503, "MAIL got %d" % code)


@case("S4", "upstream refuses at its greeting or EHLO")
def refused_at_greeting(site):
    for verb, reply, wanted in (("CONNECT", b"554 5.3.2 no service\r\n", (554, 421)), ("CONNECT", b"421 4.3.2 busy\r\n", (421,)), ("CONNECT", b"450 4.3.2 busy\r\n", (450, 421, 451)),
                                ("EHLO", b"550 5.7.1 I know you\r\n", (550,)), ("EHLO", b"421 4.3.2 busy\r\n", (421,)), ("EHLO", b"502 no EHLO\r\n", (502,))):
        site.upstream.reset()
        site.upstream.hook = on(verb, Last(reply) if verb == "CONNECT" else reply)
        client = site.client(ehlo=False)
        code, text = client.command(b"EHLO x")
        expect(code in wanted, "%s %r: got %d %s" % (verb, reply, code, text))
        client.close()
    site.upstream.reset()
    site.upstream.hook = on("EHLO", b"502 no EHLO\r\n")
    client = site.client(ehlo=False)
    client.do(b"EHLO x", 502)
    client.do(b"HELO x", 250)
    expect(through(client)[-1] == 250, "HELO after a refused EHLO")


@case("S4", "connection lost between transactions is made again, if it is as good as before")
def lost_between(site):
    client = site.client()
    expect(through(client)[-1] == 250, "")
    site.upstream.lose()
    expect(through(client) == [250, 250, 354, 250], "not made again")
    site.upstream.lose()
    site.upstream.keywords.remove("CHUNKING")
    codes = through(client)
    expect(codes[-1] in (421, 0), "a keyword is gone, codes %s" % codes)
    expect(client.closed_within(5) is not None, "not closed")
    site.upstream.reset()
    site.upstream.keywords.append("AUTH PLAIN")
    client = site.client()
    client.do(b"AUTH PLAIN AGEAYg==", 235)
    site.upstream.lose()
    codes = through(client)
    expect(codes[-1] in (421, 0), "authenticated, codes %s" % codes)
    site.upstream.reset()
    client = site.client()
    client.envelope()
    site.upstream.lose()
    codes = [client.command(b"DATA")[0]]
    expect(codes[-1] == 421, "lost within a transaction: codes %s" % codes)


@case("S4", "upstream lost while a notification is held")
def lost_while_held(site):
    def play(id, change=None, sender_line=NULL, rcpts=(USER, b"second@" + DOMAIN)):
        site.upstream.reset()
        client = site.client()
        client.do(sender_line, 250)
        for rcpt in rcpts:
            client.do(b"RCPT TO:<" + rcpt + b"> NOTIFY=NEVER", 250)
        client.do(b"DATA", 354)
        body = bounces.report(id)
        client.send(body[:100])
        client.is_read()
        site.upstream.lose()
        site.upstream.hook = change
        try:
            code = client.send(body[100:] + b".\r\n").reply()[0]
        except Closed:
            code = 0
        return client, code, body

    client, code, body = play(site.known())
    expect(code == 250, "the good bounce got %d" % code)
    site.delivered(body)
    one = site.upstream.deliveries[0]
    expect(one.sender == NULL and one.rcpts == [b"RCPT TO:<" + USER + b"> NOTIFY=NEVER", b"RCPT TO:<second@" + DOMAIN + b"> NOTIFY=NEVER"], "envelope %r %r" % (one.sender, one.rcpts))
    expect(through(client)[-1] == 250, "the session does not go on")
    client, code, _ = play(site.unknown())
    expect(code == 550, "the forged bounce got %d" % code)
    expect(through(client)[-1] == 250, "the session does not go on after a refusal")
    for name, change in {
        "MAIL refused": on("MAIL", b"550 5.7.1 no\r\n"), "RCPT refused": on("RCPT", b"550 5.1.1 no\r\n"), "one RCPT refused": on("RCPT", b"550 5.1.1 no\r\n", 1),
        "RCPT 4xx": on("RCPT", b"450 4.2.0 later\r\n"), "greeting 554": on("CONNECT", Last(b"554 no\r\n")), "dead": on("CONNECT", DROP), "MAIL drop": on("MAIL", DROP),
        "EHLO refused": on("EHLO", b"550 no\r\n"), "fewer keywords": on("EHLO", b"250-x\r\n250 SIZE\r\n"), "DATA drop": on("DATA", DROP), "DATA 451": on("DATA", b"451 no\r\n"),
    }.items():
        client, code, _ = play(site.known(), change)
        expect(code == 0 or 400 <= code < 500, "%s: got %d" % (name, code))
        expect(not site.upstream.deliveries, "%s: delivered" % name)
    site.upstream.hook = None


@case("S4", "release refused: upstream's word reaches the client", timeout=5)
def release_refused(site):
    for verb, reply, code in (("DATA", b"451 4.3.0 disk full\r\n", 451), ("DATA", b"554 5.7.1 no\r\n", 554), ("EOD", b"550 5.7.1 spam\r\n", 550), ("EOD", b"452 4.3.1 full\r\n", 452)):
        for padding in (0, 400_000):
            site.upstream.reset()
            site.upstream.hook = on(verb, reply)
            client = site.client()
            got, text = site.notify(bounces.report(site.known(), body=b"y" * 60 + b"\n" + (b"y" * 60 + b"\n") * (padding // 61)), client=client)
            expect(got == code, "%s, %d of padding: got %d %s" % (verb, padding, got, text))
            site.upstream.hook = None
            codes = through(client)
            expect(codes[-1] == 250, "%s, %r: the next mail fails: %s" % (verb, reply, codes))
            client.close()


@case("S4", "upstream's answer to guardd's own RSET is odd, with MAIL right behind")
def odd_reset(site):
    for answer in (Later(0.2, b"451 4.3.0 no\r\n"), Later(0.2, b"500 what\r\n"), Later(0.2, Last(b"421 bye\r\n")), Later(0.2, DROP), Later(0.2, b"garbage\r\n")):
        site.upstream.reset()
        site.upstream.hook = on("RSET", answer, 1)
        client = site.client(timeout=5)
        expect(site.notify(bounces.report(site.unknown()), client=client)[0] == 550, "not refused")
        try:
            code, text = client.command(b"MAIL FROM:<a@b.example>")
        except Closed:
            code = 421
        expect(code in (250, 421, 451), "%s: MAIL got %d" % (answer, code))
        client.close()


@case("S4", "slow or silent upstream: the client is told in time", timeout=1)
def silent_upstream(site):
    for verb in ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "EOD"):
        site.upstream.reset()
        site.upstream.hook = on(verb, MUTE)
        client = site.client(ehlo=False, timeout=8)
        code = from_ehlo(client)[-1]
        expect(code == 0 or 400 <= code < 500, "silent at %s: got %d" % (verb, code))
        client.close()


@case("S4", "upstream that does not read: the client is told in time", timeout=1)
def stuck_upstream(site):
    for sender in (b"a@b.example", b""):
        site.upstream.reset()
        site.upstream.hook = on("BODY", DEAF)
        client = site.client(timeout=20)
        client.envelope(sender, (USER,) if sender else (b"x@other.example",))
        client.do(b"DATA", 354)
        before = site.rss()
        site.reset_peak()
        try:
            for _ in range(400):
                client.send((b"x" * 70 + b"\r\n") * 1000)
            client.send(b".\r\n")
        except Closed:
            pass
        try:
            code = client.reply()[0]
        except Closed:
            code = 0
        expect(site.upstream.all[-1].received < 400 * 72_000, "upstream has read all of it")
        expect(site.peak() - before < 16, "memory grew by %.1f MB" % (site.peak() - before))
        expect(code == 0 or 400 <= code < 500, "got %d" % code)
        client.close()
        site.upstream.lose()


@case("S4", "failover: the next upstream of the list", upstream_port=1, settings="")
def no_failover_to_nothing(site):
    began = time.monotonic()
    client = site.client(ehlo=False)
    client.send(b"EHLO x\r\n")
    client.want(421, 451, 450)
    expect(time.monotonic() - began < 3, "a refused connection took %.1f s" % (time.monotonic() - began))


@case("R23", "a record that can't be written lets nothing leave")
def full_disk(site):
    import resource
    pid = site.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        for via in ("content", "chunks"):
            site.upstream.reset()
            client = site.client(source=OUTGOING)
            client.envelope(USER, (b"seed@remote.example",))
            try:
                code = getattr(client, via)(b"Message-ID: <" + site.token() + b"@x>\r\n\r\nx\r\n")[0]
            except Closed:
                code = 421
            expect(code in (451, 421), "%s: got %d" % (via, code))
            expect(not site.upstream.deliveries, "%s: it left unrecorded" % via)
            expect(all(one.content_ends == 0 for one in site.upstream.all), "%s: upstream saw its end" % via)
            client.close()
        client = site.client()
        expect(through(client)[-1] == 250, "other mail fails too")
        code = site.notify(bounces.report(site.unknown()))[0]
        expect(code in (550, 250), "a bounce got %d" % code)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
    site.passed(bounces.report(site.known()))


@case("R23", "kill -9 under load: what was acknowledged is known afterwards", cover=True, settings="retention = \"21d\"")
def killed(site):
    ids = []
    for round_number in range(3):
        acknowledged = []
        client = site.client(source=OUTGOING)
        for _ in range(30):
            id = site.token("kill") + b"@" + DOMAIN
            client.envelope(USER, (b"seed@remote.example",))
            expect(client.content(b"Message-ID: <" + id + b">\r\n\r\nx\r\n")[0] == 250, "refused")
            acknowledged.append(id)
        client.send(b"MAIL FROM:<" + USER + b">\r\nRCPT TO:<x@remote.example>\r\nDATA\r\nMessage-ID: <half@x>\r\n\r\nhalf")
        site.kill()
        client.close()
        began = time.monotonic()
        site.start()
        ids += acknowledged[-5:]
    deliveries = len(site.upstream.deliveries)
    expect(deliveries == 90, "%d mails acknowledged, upstream has %d" % (90, deliveries))
    site.upstream.reset()
    for id in ids:
        site.upstream.reset()
        site.passed(bounces.report(id))
    site.upstream.reset()
    site.refused(bounces.report(site.unknown()))


@case("R23", "a damaged log is moved aside and bounces pass", cover=True, settings="retention = \"22d\"")
def damaged_log(site):
    site.known()
    state = site.folder.name + "/state"
    files = [os.path.join(folder, name) for folder, _, names in os.walk(state) for name in names]
    data = next(name for name in files if name.endswith(".mdb") and "lock" not in name)
    damages = {"cut": lambda octets: octets[:5000], "garbage": lambda octets: b"\xff" * len(octets), "empty": lambda octets: b"", "head": lambda octets: b"garbage!" * 1024 + octets[8192:]}
    for name, damage in damages.items():
        site.kill()
        with open(data, "rb") as file:
            octets = file.read()
        with open(data, "wb") as file:
            file.write(damage(octets))
        wanted, site.wants_cover = site.wants_cover, False
        site.log.clear()
        try:
            site.start()
        except Failure as failure:
            raise Failure("%s: %s" % (name, failure))
        finally:
            site.wants_cover = wanted
        # The new log is young: what would be refused is delivered (or, without `sent cover`, refused by this site's setting).
        code = site.notify(bounces.report(site.unknown()))[0]
        expect(code == (250 if site.can_cover else 550), "%s: a bounce got %d" % (name, code))
        expect(any(b"sent log" in line for line in site.log) or name == "empty", "%s: no alarm: %r" % (name, site.log))
        site.upstream.reset()
        site.known()
    # A key that does not fit is an error, never made anew in silence.
    keys = [name for name in files if "key" in os.path.basename(name)]
    expect(keys, "no key file among %s" % files)
    mode = os.stat(keys[0]).st_mode & 0o777
    expect(mode == 0o600, "the key's mode is %o" % mode)
    site.kill()
    kept = keys[0] + ".kept"
    os.rename(keys[0], kept)
    status = None
    try:
        site.start()
    except Failure:
        status = site.process.returncode
    os.rename(kept, keys[0])
    if site.is_alive():
        site.kill()
    expect(status == 78, "started without its key, or exit status %s" % status)
    site.start()


@case("R10", "SIGHUP and SIGTERM: open transactions end well", settings="stop_timeout = \"3s\"")
def signals(site):
    import signal
    client = site.client()
    client.envelope()
    os.kill(site.process.pid, signal.SIGHUP)
    site.logged(rb"read again")
    client.do(b"DATA", 354)
    client.send(BODY + b".\r\n").want(250)
    with open(site.configuration) as file:
        good = file.read()
    with open(site.configuration, "w") as file:
        file.write("nonsense = 1\n" + good)
    os.kill(site.process.pid, signal.SIGHUP)
    site.logged(rb"refused|error")
    with open(site.configuration, "w") as file:
        file.write(good)
    expect(through(client)[-1] == 250, "a bad configuration stopped the service")
    idle = site.client()
    client.envelope()
    client.do(b"DATA", 354)
    site.process.terminate()
    idle.want(421, timeout=5)
    client.send(BODY + b".\r\n").want(250)
    site.process.wait(10)
    expect(site.process.returncode == 0, "exit status %s" % site.process.returncode)
    site.reader.join(5)
    site.process.stdout.close()
    site.start()
