"""What the cases are made of: a guardd with its upstream (Site), an SMTP client that checks every reply, and the register
of cases. A case is a function of one Site, named after the rule that it tests."""
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time

import processes
from connections import Connection
from processes import free_port
from upstream import Upstream

CASES = []
DOMAIN = b"protected.example"
USER = b"user@protected.example"
OUTGOING = "127.0.0.9"          # clients from here are outgoing
NULL = b"MAIL FROM:<>"


class Failure(Exception):
    """guardd did what it must not."""


class Skipped(Exception):
    """The case can't be played here."""


class Closed(Failure):
    """The connection ended where a reply was due."""


def case(rule, name, **site):
    """Registers a case; `site` are the arguments of the Site that it wants (none: the common one)."""
    def register(function):
        CASES.append((rule, name, site, function))
        return function
    return register


def expect(condition, text):
    if not condition:
        raise Failure(text)


class Client:
    def __init__(self, site, source=None, timeout=15, greeting=True, port=None, family=socket.AF_INET, buffer=None):
        self.timeout = timeout
        self.sock = socket.socket(family)
        self.sock.settimeout(timeout)
        if buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect(("::1" if family == socket.AF_INET6 else "127.0.0.1", port or site.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = self.sock.getsockname()
        self.connection = Connection(self.sock) if family == socket.AF_INET else None
        self.buf = b""
        site.clients.append(self)
        if greeting:
            self.want(220)

    def send(self, octets):
        try:
            self.sock.sendall(octets)
        except socket.timeout:
            raise Failure("guardd took nothing for %d s" % self.timeout)
        except OSError as error:
            raise Closed("closed while sending: %s" % error)
        return self

    def line(self, timeout=None):
        deadline = time.monotonic() + (timeout or self.timeout)
        while b"\n" not in self.buf:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failure("no reply within %.1f s (have %r)" % (timeout or self.timeout, self.buf[:60]))
            self.sock.settimeout(left)
            try:
                octets = self.sock.recv(65536)
            except socket.timeout:
                continue
            except OSError as error:
                raise Closed("closed: %s" % error)
            finally:
                self.sock.settimeout(self.timeout)
            if not octets:
                raise Closed("closed (have %r)" % self.buf[:60])
            self.buf += octets
        line, _, self.buf = self.buf.partition(b"\n")
        return line + b"\n"

    def reply(self, timeout=None):
        """Code and text; the form is checked (RFC 5321 4.2)."""
        code, texts = None, []
        while True:
            line = self.line(timeout)
            expect(re.match(rb"[2-5]\d\d(?:[ -][^\r\n\0]*)?\r\n\Z", line), "reply is not SMTP: %r" % line[:100])
            expect(code in (None, line[:3]), "reply changes its code: %r" % line[:100])
            code = line[:3]
            texts.append(line[4:-2])
            if line[3:4] != b"-":
                return int(code), b"\n".join(texts)

    def command(self, line, timeout=None):
        return self.send(line + b"\r\n").reply(timeout)

    def want(self, *codes, timeout=None, what=""):
        code, text = self.reply(timeout)
        expect(code in codes, "%sgot %d %s, not %s" % (what and what + " ", code, text.decode("latin-1")[:90], codes))
        return text

    def do(self, line, *codes, timeout=None):
        """A command that must be answered so."""
        self.send(line + b"\r\n")
        return self.want(*codes, timeout=timeout, what=repr(line[:60]))

    def ehlo(self, name=b"client.example"):
        return [line.decode("latin-1") for line in self.do(b"EHLO " + name, 250).split(b"\n")[1:]]

    def envelope(self, sender=b"sender@client.example", rcpts=(USER,), parameters=b""):
        self.do(b"MAIL FROM:<" + sender + b">" + parameters, 250)
        for rcpt in rcpts:
            self.do(b"RCPT TO:<" + rcpt + b">", 250)
        return self

    def content(self, body, timeout=None):
        """DATA, the content with its dots stuffed, and the reply to its end."""
        self.do(b"DATA", 354)
        return self.send(stuffed(body)).reply(timeout)

    def chunks(self, body, size=None, timeout=None):
        """The same by BDAT, one chunk after the other."""
        size = size or max(1, len(body))
        parts = [body[start:start + size] for start in range(0, len(body), size)] or [b""]
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            self.send(b"BDAT %d%s\r\n" % (len(part), b" LAST" if is_last else b"") + part)
            answer = self.reply(timeout)
            if is_last or answer[0] != 250:
                return answer

    def is_read(self):
        """Waits until guardd has read all that was sent: what follows comes to it as a piece of its own."""
        until(self.connection.is_read, 20, "guardd reads on")
        return self

    def quit(self):
        """QUIT and its answer, or the close: whatever else comes is a reply that nothing asked for."""
        try:
            self.send(b"QUIT\r\n")
        except Closed:
            pass
        codes = self.closed_within(self.timeout)
        expect(codes in ([], [221], [421]), "replies that nothing asked for: %s" % codes)

    def has_closed(self):
        """Takes what has come; whether the end was behind it."""
        self.sock.setblocking(False)
        try:
            while octets := self.sock.recv(65536):
                self.buf += octets
            return True
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.sock.settimeout(self.timeout)

    def closed_within(self, seconds):
        """Reads on until the close; returns the codes that came, or None when it stays open."""
        codes, deadline = [], time.monotonic() + seconds
        while True:
            try:
                codes.append(int(self.line(max(0.01, deadline - time.monotonic()))[:3]))
            except Closed:
                return codes
            except Failure:
                return None

    def cut(self):
        """RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()


def stuffed(body):
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    body = body.replace(b"\r\n.", b"\r\n..")
    return (b"." if body.startswith(b".") else b"") + body + b".\r\n"


def until(condition, seconds, what):
    try:
        processes.until(condition, what, seconds)
    except AssertionError as error:
        raise Failure(str(error))


class Site:
    """A guardd, its upstream, its folder. `settings` are TOML lines in front of the tables, `tables` those behind."""
    program = None
    can_cover = None
    is_slow_build = False
    number = 0

    def __init__(self, identity="none", settings="", tables="", actions="", workers=1, ipv6=False, timeout=5, limits=None, upstream_port=None, cover=True):
        self.identity, self.ipv6 = identity, ipv6
        self.folder = tempfile.TemporaryDirectory(prefix="guardd-blackbox-")
        self.upstream = Upstream()
        self.upstream.identity = identity
        self.port, self.port6 = free_port(), free_port() if ipv6 else None
        self.clients, self.log, self.limits = [], [], limits or {}
        self.wants_cover = cover
        uncovered = "refuse" if cover and not Site.can_cover else "deliver"
        listeners = ["127.0.0.1:%d" % self.port] + (["[::1]:%d" % self.port6] if ipv6 else [])
        self.configuration = os.path.join(self.folder.name, "guardd.toml")
        defaults = {
            "hostname": '"mx.guardd.example"', "workers": workers, "upstream": '"127.0.0.1:%d"' % (upstream_port or self.upstream.port),
            "upstream_identity": '"%s"' % identity, "outgoing_networks": '["%s/32"]' % OUTGOING,
            "protected_domains": '["%s"]' % DOMAIN.decode(), "state_dir": '"%s/state"' % self.folder.name, "max_connections_per_client": 0, "log_repeat_limit": 0,
            "upstream_greeting_timeout": '"%ds"' % timeout, "upstream_command_timeout": '"%ds"' % timeout, "upstream_data_timeout": '"%ds"' % timeout,
            "upstream_content_timeout": '"%ds"' % timeout, "upstream_end_timeout": '"%ds"' % timeout, "stop_timeout": '"5s"',
        }
        for line in settings.splitlines():
            key, equals, value = line.partition("=")
            if equals:
                defaults[key.strip()] = value.strip()
        with open(self.configuration, "w") as file:
            for key, value in defaults.items():
                file.write("%s = %s\n" % (key, value))
            for listener in listeners:
                file.write('[[listener]]\naddress = "%s"\n' % listener)
            file.write('[actions]\nnot_covered = "%s"\n%s\n%s\n' % (uncovered, actions, tables))
        os.mkdir(os.path.join(self.folder.name, "state"), 0o700)
        self.start()

    def start(self):
        self.log = []
        def prepare():
            import resource
            for name, value in self.limits.items():
                resource.setrlimit(getattr(resource, name), (value, value))
        # restore_signals=False: SIGXFSZ stays ignored, so that a file size limit is an error as a full disk is.
        self.process = subprocess.Popen(
            [Site.program, "run", "--config", self.configuration], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=prepare if self.limits else None, restore_signals=False)
        self.reader = threading.Thread(target=self.read_log, args=(self.process.stdout, self.log), daemon=True)
        self.reader.start()
        self.until(lambda: any(b"serves on" in line for line in self.log) or self.process.poll() is not None, 20, "start")
        if self.process.poll() is not None:
            raise Failure("guardd ended with %s: %r" % (self.process.returncode, self.log[-3:]))
        if self.wants_cover and Site.can_cover:
            self.run("sent", "cover", "--since", "2020-01-01T00:00:00Z", "--state-dir", self.folder.name + "/state")

    @staticmethod
    def read_log(pipe, log):
        for line in pipe:
            log.append(line)

    def run(self, *arguments):
        return subprocess.run([Site.program, *arguments], capture_output=True, check=True, timeout=20)

    until = staticmethod(until)

    def begin(self):
        if not self.is_alive():
            self.start()
        self.upstream.reset()
        self.log.clear()
        self.mark = self.rss() if self.is_alive() else 0

    def end(self):
        for client in self.clients:
            client.close()
        self.clients.clear()
        if not self.is_alive():
            code = self.process.returncode
            tail = b" ".join(self.log[-3:])[-300:]
            self.start()
            raise Failure("guardd died (%s): %r" % (code, tail))

    def is_alive(self):
        return self.process.poll() is None

    def stop(self):
        for client in self.clients:
            client.close()
        if self.is_alive():
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()
        self.upstream.stop()
        self.folder.cleanup()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()

    # -- what cases say

    def client(self, ehlo=True, **how):
        client = Client(self, **how)
        if ehlo:
            client.ehlo()
        return client

    def token(self, prefix="m"):
        Site.number += 1
        return ("%s.%d.%d" % (prefix, Site.number, int(time.time() * 1000) % 100000)).encode()

    def unknown(self):
        """A Message-ID that was never sent."""
        return self.token("never") + b"@" + DOMAIN

    def known(self, sender=USER, rcpts=(b"seed@remote.example",), id=None):
        """The Message-ID of a mail that was sent out just now."""
        id = id or self.token("sent") + b"@" + DOMAIN
        hook, self.upstream.hook = self.upstream.hook, None
        client = self.client(source=OUTGOING)
        client.envelope(sender, rcpts)
        code, text = client.content(b"From: <" + sender + b">\r\nMessage-ID: <" + id + b">\r\nSubject: out\r\n\r\ntext\r\n")
        expect(code == 250, "a mail that goes out got %d %s" % (code, text))
        client.do(b"QUIT", 221)
        client.close()
        self.upstream.hook = hook
        self.upstream.deliveries = [one for one in self.upstream.deliveries if b"<" + id + b">" not in one.body]
        return id

    def notify(self, body, rcpts=(USER,), via="data", mail=NULL, client=None, timeout=None, **how):
        """A notification from a new client: the reply to its end."""
        client = client or self.client(**how)
        client.do(mail, 250)
        for rcpt in rcpts:
            client.do(b"RCPT TO:<" + rcpt + b">", 250)
        return client.content(body, timeout) if via == "data" else client.chunks(body, size=via if isinstance(via, int) else None, timeout=timeout)

    def refused(self, body, **how):
        code, text = self.notify(body, **how)
        expect(code == 550, "a forged bounce got %d %s" % (code, text.decode("latin-1")[:80]))
        expect(not self.upstream.deliveries, "a refused bounce was delivered all the same")

    def passed(self, body, **how):
        before = len(self.upstream.deliveries)
        code, text = self.notify(body, **how)
        expect(code == 250, "a genuine bounce got %d %s" % (code, text.decode("latin-1")[:80]))
        self.delivered(body, before)

    def delivered(self, body, before=0):
        expect(self.upstream.wait(lambda: len(self.upstream.deliveries) > before), "250, but upstream has nothing")
        got = self.upstream.deliveries[before].body
        expect(len(self.upstream.deliveries) == before + 1, "delivered more than once")
        if body and not body.endswith(b"\r\n"):
            body += b"\r\n" if self.upstream.deliveries[before].via == "DATA" else b""
        if got != body:
            at = next((index for index in range(min(len(got), len(body))) if got[index] != body[index]), min(len(got), len(body)))
            raise Failure("content changed: %d octets became %d, first at %d: %r, %r" % (len(body), len(got), at, body[at:at + 30], got[at:at + 30]))

    def both(self, make, **how):
        """The never-sent id is refused, the sent one passes."""
        try:
            self.refused(make(self.unknown()), **how)
        except Failure as failure:
            raise Failure("never sent: %s" % failure)
        try:
            self.passed(make(self.known()), **how)
        except Failure as failure:
            raise Failure("sent: %s" % failure)

    def alive(self, limit=5):
        """A good client is served."""
        hook, self.upstream.hook = self.upstream.hook, None
        began, before = time.monotonic(), len(self.upstream.deliveries)
        body = b"Subject: alive\r\n\r\nstill there\r\n"
        client = self.client()
        client.envelope()
        code, text = client.content(body)
        expect(code == 250, "a good client got %d %s" % (code, text))
        client.do(b"QUIT", 221)
        client.close()
        self.upstream.hook = hook
        self.upstream.deliveries = self.upstream.deliveries[:before]
        took = time.monotonic() - began
        expect(took < limit, "a good client waited %.1f s" % took)
        return took

    def lines_so_far(self):
        """All log lines before that of a mail that is sent now: the one worker writes them in their order."""
        sender = self.token("last") + b"@client.example"
        client = self.client()
        client.envelope(sender)
        client.content(b"Subject: last\r\n\r\nx\r\n")
        client.do(b"QUIT", 221)
        self.logged(b"relay: .*from=<" + re.escape(sender) + b">", 20)
        return list(self.log)

    def rss(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def peak(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024

    def reset_peak(self):
        with open("/proc/%d/clear_refs" % self.process.pid, "w") as file:
            file.write("5")

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def cpu(self):
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def logged(self, pattern, seconds=5):
        """Waits for a log line; returns it."""
        self.until(lambda: any(re.search(pattern, line) for line in list(self.log)), seconds, "log line %r (have %r)" % (pattern, self.log[-2:]))
        return next(line for line in self.log if re.search(pattern, line))
