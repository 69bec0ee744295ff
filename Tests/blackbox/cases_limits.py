"""R21: slow, silent and greedy clients; limits; what is left of them."""
import resource
import selectors
import threading
import time

import bounces
from kit import NULL, OUTGOING, USER, Client, Closed, Failure, Skipped, case, expect
from processes import ticks

QUICK = 'client_command_timeout = "1s"\nclient_content_timeout = "1s"\nclient_content_rate = 20000'


@case("R21", "silent and trickling clients are closed, slow large mail lives", settings=QUICK)
def slow_clients(site):
    silent = site.client(ehlo=False)
    said = site.client()
    held = site.client()
    held.do(NULL, 250)
    held.do(b"RCPT TO:<" + USER + b">", 250)
    held.do(b"DATA", 354)
    content = site.client()
    content.envelope()
    content.do(b"DATA", 354)
    chunk = site.client()
    chunk.envelope()
    chunk.send(b"BDAT 1000 LAST\r\nx")
    swallowed = site.client()
    swallowed.send(b"BDAT 1000 LAST\r\nx")
    trickles = [site.client(), content, held, chunk, swallowed]
    slow = site.client(timeout=20)
    slow.envelope()
    slow.do(b"DATA", 354)
    # How fast a client sends is what this is about: one octet now and then, and 28,800 octets a second, two seconds ahead so that
    # a late clock does no harm. Content has 1 s and 1 s for 20,000 octets: by then all that the slow one lives by is its rate.
    silently = {"silent": silent, "after EHLO": said, "held content": held, "content": content, "chunk": chunk, "swallowed chunk": swallowed, "command": trickles[0]}
    line, sent = b"y" * 70 + b"\r\n", 0
    for elapsed in ticks(0.1):
        for client in trickles:
            try:
                client.sock.send(b"x")
            except OSError:
                pass
        due = int((elapsed + 2) * 400)
        slow.send(line * (due - sent))
        sent = due
        still = [name for name, client in silently.items() if not client.has_closed()]
        if not still and elapsed > 5:
            break
        expect(elapsed < 30, "still open after %.1f s: %s" % (elapsed, still))
    slow.send(b".\r\n").want(250)
    expect(site.upstream.wait(lambda: all(not one.open or one.sender is None and one.state == "command" for one in site.upstream.all), 5), "upstream connections are left in a transaction")
    expect(len(site.upstream.deliveries) == 1, "%d deliveries" % len(site.upstream.deliveries))


@case("R21", "a reader of nothing is bounded", settings=QUICK)
def reader_of_nothing(site):
    def fill(octets):
        client = site.client(buffer=4096, timeout=60)
        try:
            for _ in range(100):
                client.send(octets * 5000)
        except Closed:
            pass                        # guardd has given it up
        except Failure as failure:
            failures.append("%r: %s" % (octets, failure))

    failures, before = [], site.rss()
    site.reset_peak()
    every = [threading.Thread(target=fill, args=(octets,), daemon=True) for octets in (
        b"NOOP\r\n", b"HELP\r\n", b"RSET\r\n", b"VRFY x\r\n", b"MAIL FROM:<a@b.example>\r\nRSET\r\n", b"RCPT TO:<a@b.example>\r\n")]
    for one in every:
        one.start()
    for one in every:
        one.join()
    expect(not failures, failures)
    site.alive()
    grown = site.peak() - before
    expect(grown < 16, "memory grew by %.1f MB" % grown)
    site.until(lambda: not site.upstream.live, 25, "readers of nothing are closed")
    return "memory +%.1f MB" % grown


@case("R21", "100,000 pipelined commands get 100,000 answers in order", settings="hard_error_limit = 0\nsoft_error_limit = 0\njunk_command_limit = 0")
def many_commands(site):
    before = site.rss()
    client = site.client(timeout=60)
    count = 20_000 if site.is_slow_build else 100_000
    lines = [b"NOOP\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<" + USER + b">\r\n", b"RCPT TO:<nobody@protected.example>\r\n", b"BOGUS\r\n", b"RSET\r\n", b"VRFY x\r\n", b"NOOP\r\n", b"EHLO x\r\n", b"MAIL\r\n"]
    wanted = [250, 250, 250, 550, 500, 250, 252, 250, 250, 501]
    octets = b"".join(lines) * (count // 10)
    client.sock.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(client.sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
    sent, codes, peak, deadline = 0, [], 0, time.monotonic() + 60
    buffered = b""
    while len(codes) < count:
        expect(time.monotonic() < deadline, "%d answers within 60 s" % len(codes))
        for key, mask in selector.select(1):
            if mask & selectors.EVENT_WRITE and sent < len(octets):
                try:
                    sent += client.sock.send(octets[sent:sent + 65536])
                except BlockingIOError:
                    pass
                if sent == len(octets):
                    selector.modify(client.sock, selectors.EVENT_READ)
            if mask & selectors.EVENT_READ:
                data = client.sock.recv(65536)
                expect(data, "closed after %d answers" % len(codes))
                *whole, buffered = (buffered + data).split(b"\r\n")
                codes += [int(line[:3]) for line in whole if line[3:4] == b" "]
        peak = max(peak, site.rss())
    expect(codes == wanted * (count // 10), "out of order: %s" % codes[:30])
    expect(peak - before < 16, "memory grew by %.1f MB" % (peak - before))


@case("R21", "many RCPT before their replies are bounded", settings="hard_error_limit = 0\nsoft_error_limit = 0\nrecipient_limit = 0")
def many_recipients(site):
    site.alive()
    before = site.rss()
    for sender in (b"a@b.example", b""):
        # An upstream that reads on but answers slowly.
        site.upstream.reset()
        site.upstream.hook = lambda connection, verb, line: "mute" if verb == "RCPT" else None
        client = site.client()
        client.do(b"MAIL FROM:<" + sender + b">", 250)
        site.reset_peak()
        try:
            for _ in range(200):
                client.send(b"RCPT TO:<user@protected.example>\r\n" * 1000)
        except Closed:
            pass                        # what guardd does when upstream_command_timeout is over
        grown = site.peak() - before
        expect(grown < 16, "memory grew by %.1f MB for commands without replies" % grown)
        client.close()


@case("R21", "limits in total and per client", settings="max_connections = 20\nmax_connections_per_client = 5")
def connection_limits(site):
    first = [site.client(ehlo=False) for _ in range(5)]
    client = site.client(ehlo=False, greeting=False)
    client.want(421)
    expect(client.closed_within(5) == [], "not closed")
    others = [site.client(ehlo=False, source="127.0.1.%d" % number) for number in range(1, 16)]
    client = site.client(ehlo=False, greeting=False, source="127.0.2.1")
    client.want(421)
    for one in first[:2] + others[:1]:
        one.close()
    site.until(lambda: try_greeting(site), 5, "a place is free again")


def try_greeting(site):
    client = site.client(ehlo=False, greeting=False)
    code = client.reply()[0]
    client.close()
    return code == 220


@case("R21", "refused clients that stay do not keep descriptors", settings="max_connections = 10\nstop_timeout = \"1s\"")
def refused_clients_that_stay(site):
    site.alive()
    start = site.descriptors()
    held = [site.client(ehlo=False) for _ in range(10)]
    for _ in range(200):
        site.client(ehlo=False, greeting=False).want(421)
    site.until(lambda: site.descriptors() <= start + 12, 12, "descriptors of refused clients are given back (have %d, began with %d)" % (site.descriptors(), start))
    for client in held:
        client.close()


@case("R21", "no descriptors left: waits, and serves again", settings="max_connections = 0\nworkers = 1", limits={"RLIMIT_NOFILE": 64})
def no_descriptors(site):
    site.alive()
    clients = []
    for _ in range(80):
        client = Client(site, greeting=False)
        clients.append(client)
    site.until(lambda: site.descriptors() >= 60, 10, "descriptors are used up (have %d)" % site.descriptors())
    before = site.cpu()
    for elapsed in ticks(1):                            # a measurement, not a wait: nothing happens in this second
        if elapsed >= 1:
            break
    busy = (site.cpu() - before) / elapsed
    for client in clients:
        client.close()
    expect(busy < 0.5, "guardd spins: %.2f s CPU a second" % busy)
    site.until(lambda: try_service(site), 10, "service after the descriptors were given back")


def try_service(site):
    try:
        site.alive()
        return True
    except Failure:
        return False


@case("R21", "descriptors and memory return after 2,000 cut connections")
def cut_connections(site):
    known, forged = bounces.report(site.known()), bounces.report(site.unknown())
    site.alive()
    site.until(lambda: not site.upstream.live, 5, "idle")
    start, before = site.descriptors(), site.rss()
    count = 400 if site.is_slow_build else 2000
    steps = [
        b"", b"EHL", b"EHLO x\r\n", b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n", b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\nhalf",
        b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\n" + forged, b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\n" + known,
        b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + USER + b">\r\nDATA\r\n" + forged + b".\r\nQUIT\r\n", b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + USER + b">\r\nBDAT 1000\r\nhalf",
    ]
    for number in range(count):
        client = site.client(ehlo=False, greeting=number % 3 == 0)
        client.send(steps[number % len(steps)])
        client.cut() if number % 2 else client.close()
        site.clients.clear()
    site.until(lambda: site.descriptors() <= start, 15, "descriptors return to %d (have %d)" % (start, site.descriptors()))
    expect(site.upstream.wait(lambda: not site.upstream.live, 10), "upstream connections stay")
    expect(not site.upstream.deliveries, "a message was made of half of it")
    expect(site.rss() - before < 16, "memory grew by %.1f MB" % (site.rss() - before))
    return "%d cut, memory +%.1f MB" % (count, site.rss() - before)


@case("R21", "idle sessions are cheap", settings="max_connections = 0")
def idle_sessions(site):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 30_000), hard))
    for ehlo, count in ((False, 4000),):
        site.alive()
        before = site.rss()
        clients = [site.client(ehlo=ehlo) for _ in range(count)]
        each = (site.rss() - before) * 1024 / count
        for client in clients:
            client.close()
        site.clients.clear()
        expect(each <= 3.3, "%.2f kB each" % each)
        return "%.2f kB each" % each


@case("R21", "slow clients do not delay a good one", settings="max_connections = 0")
def slow_crowd(site):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 5000
    if hard < count * 3 and hard != resource.RLIM_INFINITY:
        raise Skipped("needs %d descriptors, the limit is %d" % (count * 3, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (count * 3 if soft < count * 3 else soft, hard))
    idle = sorted(site.alive() for _ in range(15))[7]
    before = site.rss()
    clients = []
    for number in range(count):
        client = site.client(ehlo=False, source="127.0.%d.%d" % (number // 200 + 3, number % 200 + 1))
        if number % 10 == 0:
            client.ehlo()
            client.envelope(b"" if number % 20 else b"a@b.example")
            client.do(b"DATA", 354)
        clients.append(client)
    times = []
    for turn in range(15):
        for client in clients[turn::15]:
            client.send(b"x")
        times.append(site.alive())
    grown = site.rss() - before
    median = sorted(times)[7]
    for client in clients:
        client.close()
    site.clients.clear()
    site.until(lambda: not site.upstream.live, 20, "slow clients are gone")
    expect(median - idle < (0.25 if site.is_slow_build else 0.05), "a good client waits %.0f ms, idle %.0f ms" % (median * 1000, idle * 1000))
    return "%d slow clients: median %.1f ms, worst %.1f ms, idle %.1f ms, memory +%.1f MB" % (count, median * 1000, max(times) * 1000, idle * 1000, grown)


@case("R21", "stress: short deadlines while nearly full", settings='max_connections = 20\nclient_timeout_stress = "1s"')
def stress(site):
    clients = [site.client(ehlo=False) for _ in range(18)]
    site.until(lambda: any(b"stress: 16 connections" in line for line in site.log), 20, "the log says that stress begins")
    site.until(lambda: sum(client.has_closed() for client in clients) >= 3, 20, "silent clients are closed")
    site.alive()
    for client in clients:
        client.close()
    site.until(lambda: any(b"stress is over" in line for line in site.log), 5, "the log says that stress has ended")
    expect(sum(b"stress" in line for line in site.log) == 2, "more than two lines about stress")


@case("R21", "stress: one error is enough while nearly full", settings="max_connections = 20\nhard_error_limit = 10000\nsoft_error_limit = 0")
def stress_errors(site):
    first = site.client()
    clients = [site.client(ehlo=False) for _ in range(17)]
    site.logged(rb"stress: \d+ connections")
    client = site.client()
    client.send(b"BOGUS\r\n")
    expect(client.closed_within(10) == [500, 421], "one error was not enough")
    # A session that is older hears of it with the next tick.
    codes = []

    def ended():
        first.send(b"BOGUS\r\n")
        codes.append(first.reply()[0])
        return 421 in codes
    site.until(ended, 5, "an older session hears of stress")
    expect(len(codes) < 10000, "all of hard_error_limit was allowed")
    for one in clients:
        one.close()


@case("R21", "a network is one client", settings="max_connections_per_client = 2\nclient_ipv4_prefix_length = 24")
def networks(site):
    held = [site.client(ehlo=False, source="127.0.7.%d" % number) for number in (1, 2)]
    client = site.client(ehlo=False, greeting=False, source="127.0.7.3")
    client.want(421)
    expect(client.closed_within(5) == [], "not closed")
    other = site.client(ehlo=False, source="127.0.8.1")
    listed = [site.client(ehlo=False, source=OUTGOING) for _ in range(4)]
    for one in held + [other] + listed:
        one.close()


@case("R21", "clients that come too often", settings="client_connection_rate_limit = 3")
def rate(site):
    codes = []
    # More than two minutes allow: one may be over between two of them.
    for _ in range(7):
        client = site.client(ehlo=False, greeting=False, source="127.0.7.1")
        codes.append(client.reply()[0])
        client.close()
    expect(421 in codes and codes[:2] == [220, 220], "codes %s" % codes)
    site.client(ehlo=False, source="127.0.7.2").close()
    for _ in range(5):
        site.client(ehlo=False, source=OUTGOING).close()


@case("R21", "errors slow a client down", settings='soft_error_limit = 3\nerror_sleep_time = "300ms"')
def soft_errors(site):
    client = site.client()
    began = time.monotonic()
    client.send(b"BOGUS\r\n" * 5)
    for _ in range(5):
        client.want(500)
    took = time.monotonic() - began
    expect(took >= 0.6, "five errors were answered within %.2f s" % took)
    site.alive()
    client.do(b"QUIT", 221)
    return "%.2f s for two errors beyond the limit" % took


@case("R21", "NOOP without end is an error", settings="junk_command_limit = 5\nhard_error_limit = 3")
def junk(site):
    client = site.client()
    client.send(b"NOOP\r\n" * 20)
    codes = client.closed_within(10)
    expect(codes == [250] * 8 + [421], "codes %s" % codes)


@case("R21", "too many recipients are put off", settings="recipient_limit = 2\nrecipient_overshoot_limit = 1\nhard_error_limit = 2")
def recipients(site):
    for sender in (b"a@b.example", b""):
        client = site.client()
        client.do(b"MAIL FROM:<" + sender + b">", 250)
        for _ in range(2):
            client.do(b"RCPT TO:<" + USER + b">", 250)
        client.do(b"RCPT TO:<" + USER + b">", 452)
        client.do(b"RCPT TO:<" + USER + b">", 452)
        client.send(b"RCPT TO:<" + USER + b">\r\n")
        codes = client.closed_within(5)
        expect(codes == [452, 421], "codes %s" % codes)


@case("R21", "an error limit ends the session", settings="hard_error_limit = 5")
def error_limit(site):
    client = site.client()
    client.send(b"BOGUS\r\n" * 20)
    codes = client.closed_within(5)
    expect(codes is not None and codes[-1] == 421 and len(codes) <= 7, "codes %s" % codes)
    # pipelined behind commands that upstream still has to answer: order is kept
    client = site.client()
    client.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<" + USER + b">\r\n" + b"BOGUS\r\n" * 20)
    codes = client.closed_within(5)
    expect(codes is not None and codes[:2] == [250, 250] and codes[-1] == 421, "codes %s" % codes)
