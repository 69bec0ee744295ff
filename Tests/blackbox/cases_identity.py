"""R11: upstream learns the true client, and only that."""
import re
import socket

import bounces
from kit import Closed, Skipped, case, expect, free_port
from upstream import Last


def true_client(site, **how):
    client = site.client(**how)
    client.envelope()
    expect(client.content(b"Subject: x\r\n\r\nx\r\n")[0] == 250, "refused")
    return client, site.upstream.deliveries[-1].connection


def check_proxy(site):
    for how in ({}, {"source": "127.0.0.77"}):
        client, connection = true_client(site, **how)
        expect(connection.header[:1] != ("bad",) and connection.header, "no header")
        header = connection.header[1:] if connection.header[0] == "PROXY" else connection.header
        expect(header == ("TCP4", client.address[0], "127.0.0.1", str(client.address[1]), str(site.port)), "header %s, client %s" % (header, client.address))
    try:
        client, connection = true_client(site, family=socket.AF_INET6, port=site.port6)
    except OSError:
        raise Skipped("no IPv6")
    header = connection.header[1:] if connection.header[0] == "PROXY" else connection.header
    expect(header == ("TCP6", "::1", "::1", str(client.address[1]), str(site.port6)), "header %s" % (header,))
    # A client's own header and XCLIENT never go on.
    for octets in (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\2\r\n", b"XCLIENT ADDR=192.0.2.1\r\n",
                   b"XFORWARD ADDR=192.0.2.1\r\n"):
        site.upstream.reset()
        client = site.client(ehlo=False)
        try:
            client.send(octets + b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n")
        except Closed:
            pass
        codes = client.closed_within(20)
        expect(codes and codes[0] >= 500, "%r got %s" % (octets, codes))
        if b"\0" not in octets:                         # that one is the end of the session
            expect(set(codes[1:-1]) == {250} and codes[-1] == 221 and b"MAIL FROM:<a@b.example>" in site.upstream.lines(), "behind %r: %s" % (octets, codes))
        for line in site.upstream.lines():
            expect(not re.match(rb"(?i)PROXY|XCLIENT|XFORWARD", line) and b"\x21\x11" not in line, "a client's identity went upstream: %r" % line)
        client.close()
    # On every connection that is made anew too.
    site.upstream.reset()
    client = site.client()
    site.upstream.lose()
    client.envelope()
    expect(client.content(b"x\r\n")[0] == 250, "refused after the connection was made anew")
    header = site.upstream.deliveries[-1].connection.header
    expect(str(client.address[1]) in header, "header %s on the second connection" % (header,))


@case("R11", "PROXY v1", identity="proxy-v1", ipv6=True)
def proxy_v1(site):
    check_proxy(site)


@case("R11", "PROXY v2", identity="proxy-v2", ipv6=True)
def proxy_v2(site):
    check_proxy(site)


@case("R11", "XCLIENT tells the true client, once, ADDR last", identity="xclient", ipv6=True)
def xclient(site):
    for how, address in (({}, b"127.0.0.1"), ({"source": "127.0.0.77"}, b"127.0.0.77"), ({"family": socket.AF_INET6, "port": site.port6}, b"IPV6:::1")):
        site.upstream.reset()
        client, connection = true_client(site, **how)
        expect(connection.xclient["ADDR"] == [address], "ADDR %s" % connection.xclient)
        expect(connection.xclient["PORT"] == [b"%d" % client.address[1]], "PORT %s" % connection.xclient)
        expect(connection.xclient["HELO"] == [b"client.example"], "HELO %s" % connection.xclient)
        expect(connection.xclient.get("PROTO") == [b"ESMTP"], "PROTO %s" % connection.xclient)
        expect(connection.xclient.get("NAME", [b"[UNAVAILABLE]"]) == [b"[UNAVAILABLE]"], "NAME %s" % connection.xclient)
        lines = [line for line in connection.commands if line.startswith(b"XCLIENT")]
        expect(all(len(line) <= 510 for line in lines), "a line of more than 512 octets")
        expect(all(b"ADDR=" not in re.sub(rb"DESTADDR=", b"", line) for line in lines[:-1]) and lines[-1].split(b" ")[-1].startswith(b"ADDR="), "ADDR is not last: %s" % lines)
        order = [line.split(b" ")[0] for line in connection.commands[:3]]
        expect(order == [b"EHLO", b"XCLIENT", b"EHLO"], "order %s" % order)
        expect(connection.commands[-4:][0].startswith(b"EHLO client.example") or b"EHLO client.example" in connection.commands, "the client's EHLO is not said again")


@case("R11", "XCLIENT: HELO can't inject attributes", identity="xclient")
def xclient_injection(site):
    names = refused = 0
    for name in (b"a ADDR=198.51.100.1", b"a\tADDR=198.51.100.1", b"a+20ADDR=198.51.100.1", b"a=b", b"[UNAVAILABLE]", b"[TEMPUNAVAIL]", b"x" * 1500, b"\xff\xfe", b"a+", b"+", b"=",
                 b"x" * 250 + b" ADDR=198.51.100.1", b"[IPV6:2001:db8::1]", "h\u00e9".encode()):
        site.upstream.reset()
        names += 1
        client = site.client(ehlo=False)
        code, _ = client.command(b"EHLO " + name)
        connection = site.upstream.all[-1] if site.upstream.all else None
        if code != 250 or connection is None:
            expect(code >= 400, "got %d" % code)
            refused += 1
            continue
        expect(connection.xclient.get("ADDR") == [b"127.0.0.1"], "EHLO %r: ADDR %s" % (name[:40], connection.xclient.get("ADDR")))
        helo = connection.xclient.get("HELO", [b""])
        expect(len(helo) == 1 and re.match(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*\Z", helo[0]), "EHLO %r: HELO=%s is no xtext" % (name[:40], helo))
        expect(len(helo[0]) <= 255, "HELO of %d octets" % len(helo[0]))
        expect(not re.fullmatch(rb"(?i)\[(?:UN|TEMPUN)AVAIL(?:ABLE)?\]", helo[0]), "the client's word %r would be taken for Postfix's" % helo[0])
        for line in connection.commands:
            expect(not line.startswith(b"XCLIENT") or len(line) <= 510, "XCLIENT of %d octets" % len(line))
        client.close()
    site.upstream.reset()
    client = site.client(ehlo=False)
    client.do(b"HELO old.example", 250)
    connection = site.upstream.all[-1]
    expect(connection.xclient.get("PROTO") == [b"SMTP"], "PROTO %s" % connection.xclient)
    expect(connection.commands[-1] == b"HELO old.example", "the hello is %r" % connection.commands[-1])
    expect(names - refused > 5, "only %d of %d were taken: nothing is shown" % (names - refused, names))
    return "%d of %d taken" % (names - refused, names)


@case("R11", "XCLIENT: an upstream that does not take it gets no session", identity="xclient")
def xclient_refused(site):
    usual = site.upstream.xclient_attributes
    hooks = {
        "550 to XCLIENT": lambda connection, verb, line: b"550 5.7.0 no\r\n" if verb == "XCLIENT" else None,
        "501 to XCLIENT": lambda connection, verb, line: b"501 5.5.4 no\r\n" if verb == "XCLIENT" else None,
        "250 to XCLIENT": lambda connection, verb, line: b"250 ok\r\n" if verb == "XCLIENT" else None,
        "421 to XCLIENT": lambda connection, verb, line: Last(b"421 4.3.2 no\r\n") if verb == "XCLIENT" else None,
        "close at XCLIENT": lambda connection, verb, line: "drop" if verb == "XCLIENT" else None,
        "no keyword": lambda connection, verb, line: b"250-x\r\n250 PIPELINING\r\n" if verb == "EHLO" else None,
        "no EHLO": lambda connection, verb, line: b"502 no\r\n" if verb == "EHLO" else None,
        "no ADDR": lambda connection, verb, line: b"250-x\r\n250 XCLIENT NAME PROTO HELO\r\n" if verb == "EHLO" else None,
        "keyword alone": lambda connection, verb, line: b"250-x\r\n250 XCLIENT\r\n" if verb == "EHLO" else None,
    }
    for name, hook in hooks.items():
        site.upstream.reset()
        site.upstream.hook = hook
        client = site.client(ehlo=False)
        code, text = client.command(b"EHLO client.example")
        expect(code == 421, "%s: got %d %s" % (name, code, text))
        if "close" not in name:
            expect(text.startswith(b"4.3.5") or name.startswith("421"), "%s: %s" % (name, text))
        expect(client.closed_within(5) == [], "%s: not closed" % name)
        expect(not any(re.match(rb"(?i)MAIL|EHLO client", line) for line in site.upstream.lines()), "%s: the session went on" % name)
        client = site.client(ehlo=False)
        code, _ = client.command(b"MAIL FROM:<a@b.example>")
        expect(code in (421, 503), "%s, MAIL at once: got %d" % (name, code))
    site.upstream.xclient_attributes = usual


@case("R11", "XCLIENT: bounces are judged and the client's own XCLIENT is refused", identity="xclient")
def xclient_bounces(site):
    site.both(bounces.report)
    client = site.client()
    client.do(b"XCLIENT ADDR=192.0.2.1", 500, 502, 503, 550)
    client.do(b"XFORWARD ADDR=192.0.2.1", 500, 502, 503, 550)
    client.envelope()
    expect(client.content(b"x\r\n")[0] == 250, "refused")
    expect(site.upstream.deliveries[-1].connection.xclient["ADDR"] == [b"127.0.0.1"], "ADDR")


@case("R11", "a client without a hello is announced all the same", identity="proxy-v1", ipv6=True)
def no_hello(site):
    client = site.client(ehlo=False)
    client.envelope()
    expect(client.content(b"x\r\n")[0] == 250, "refused")
    expect(str(client.address[1]) in site.upstream.deliveries[-1].connection.header, "header")
    # What needs no mail server costs it no connection.
    before = len(site.upstream.all)
    client = site.client(ehlo=False)
    client.do(b"NOOP", 250)
    client.do(b"RSET", 250)
    client.do(b"QUIT", 221)
    expect(len(site.upstream.all) == before, "a connection for nothing")


@case("R11", "without upstream_identity guardd does not start")
def identity_has_to_be_said(site):
    import subprocess
    done = subprocess.run([site.program, "run", "--listen", "127.0.0.1:%d" % free_port(), "--upstream", "127.0.0.1:1", "--state-dir", site.folder.name + "/other"],
                          capture_output=True, timeout=20)
    expect(done.returncode == 78, "exit status %d" % done.returncode)
    expect(b"identity" in done.stderr and b"mynetworks" in done.stderr, "says %r" % done.stderr[-300:])
    done = subprocess.run([site.program, "check", "--config", site.configuration], capture_output=True, timeout=20)
    expect(done.returncode == 0, "check says %d %r" % (done.returncode, done.stderr[-300:]))
