"""The mail server behind guardd, as a test wants it: records every command and every message, takes the end of content
as one of several real servers does, and misbehaves where a hook says so. One thread serves all connections.

A hook is called as hook(connection, verb, line) for CONNECT, every command, BODY (some content came), CHUNK (a BDAT
chunk is complete) and EOD (the content is complete). It returns
  None                     the usual answer
  bytes                    this answer instead; the state stays what it was
  DROP, RESET              the connection is closed, or cut with RST
  MUTE                     no answer
  DEAF                     no answer, and nothing is read any more
  Later(seconds, answer)   answer (None: the usual one) after that time; nothing is read meanwhile
  Last(answer)             answer, then close
"""
import re
import selectors
import socket
import struct
import threading
import time
from collections import namedtuple

import connections
import processes

DROP, RESET, MUTE, DEAF = "drop", "reset", "mute", "deaf"
Later = namedtuple("Later", "seconds answer")
Last = namedtuple("Last", "answer")

# What some server takes for the end of content (THREATS 2.1); the content begins as if behind CRLF.
ENDS = {
    "strict": re.compile(rb"\r\n\.\r\n"),
    "lf": re.compile(rb"\n\.\r{0,2}\n"),
    "lenient": re.compile(rb"(?:\r\n|\r|\n)\0*\.\0*(?:\r\n|\r(?!\n)(?=[\s\S])|\n)"),
}
LINES = {"strict": re.compile(rb"\r\n"), "lf": re.compile(rb"\r?\n"), "lenient": re.compile(rb"\r\n|\r(?=[^\n])|\n")}

KEYWORDS = ["PIPELINING", "SIZE 104857600", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING", "BINARYMIME"]


class Delivery:
    """A message that was answered 250."""

    def __init__(self, connection):
        self.connection, self.sender, self.rcpts, self.body = connection, connection.sender, list(connection.rcpts), bytes(connection.body)
        self.via = connection.via


class Connection:
    def __init__(self, server, sock):
        self.server, self.sock, self.link = server, sock, connections.Connection(sock)
        self.buf, self.out, self.body = bytearray(), bytearray(), bytearray()
        self.commands, self.header = [], None           # lines without their end; the PROXY header as (family, address, port)
        self.xclient, self.helo, self.auth = {}, None, False
        self.state = "proxy" if server.identity in ("proxy-v1", "proxy-v2") else "command"
        self.sender, self.rcpts, self.left, self.is_last, self.via = None, [], 0, False, None
        self.searched, self.closing, self.resume_at, self.delayed = 0, False, None, None
        self.open, self.ended = True, None              # ended: "fin" or "rst" by the peer, "self" by us
        self.is_reading, self.content_ends, self.received = True, 0, 0
        self.state_at_end = None

    # -- answers

    def say(self, answer):
        self.out += answer

    def ask(self, verb, line, usual):
        """Lets the hook answer, or does the usual. Returns False when nothing more may be read now."""
        hook = self.server.hook
        result = hook(self, verb, bytes(line)) if hook else None
        return self.perform(result, usual)

    def perform(self, result, usual):
        if result is None:
            usual()
        elif isinstance(result, bytes):
            self.say(result)
        elif isinstance(result, Later):
            self.resume_at = time.monotonic() + result.seconds
            self.delayed = (result.answer, usual)
            return False
        elif isinstance(result, Last):
            self.say(result.answer)
            self.closing = True
            return False
        elif result == DROP:
            self.closing = True
            return False
        elif result == DEAF:
            self.is_reading = False
            return False
        elif result == RESET:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.finish("self")
            return False
        return True

    def wake(self, now):
        if self.resume_at is not None and now >= self.resume_at:
            answer, usual = self.delayed
            self.resume_at = self.delayed = None
            is_end = self.sender is not None and usual == self.accept
            if self.perform(answer, usual):
                if is_end:
                    self.forget()
                self.work()

    # -- the stream

    def work(self):
        while self.open and self.is_reading and not self.closing and self.resume_at is None:
            before = (self.state, len(self.buf), len(self.body))
            getattr(self, "in_" + self.state)()
            if (self.state, len(self.buf), len(self.body)) == before:
                return

    def in_proxy(self):
        if self.server.identity == "proxy-v1":
            end = self.buf.find(b"\r\n")
            if end < 0:
                return
            words = bytes(self.buf[:end]).split(b" ")
            self.header = tuple(word.decode("latin-1") for word in words)
            del self.buf[:end + 2]
        else:
            if len(self.buf) < 16:
                return
            size = 16 + struct.unpack(">H", self.buf[14:16])[0]
            if len(self.buf) < size:
                return
            raw = bytes(self.buf[:size])
            del self.buf[:size]
            if raw[:12] != b"\r\n\r\n\0\r\nQUIT\n" or raw[12] != 0x21:
                self.header = ("bad",)
            elif raw[13] == 0x11:
                port = struct.unpack(">HH", raw[24:28])
                self.header = ("TCP4", socket.inet_ntoa(raw[16:20]), socket.inet_ntoa(raw[20:24]), *map(str, port))
            else:
                port = struct.unpack(">HH", raw[48:52])
                self.header = ("TCP6", socket.inet_ntop(socket.AF_INET6, raw[16:32]), socket.inet_ntop(socket.AF_INET6, raw[32:48]), *map(str, port))
        self.state = "command"
        self.greet()

    def greet(self):
        self.ask("CONNECT", b"", lambda: self.say(b"220 upstream.example ESMTP\r\n"))

    def in_command(self):
        match = LINES[self.server.framing].search(self.buf)
        if not match:
            return
        line = bytes(self.buf[:match.start()])
        del self.buf[:match.end()]
        self.commands.append(line)
        verb = re.split(rb"[\s:]", line.strip(), maxsplit=1)[0].upper().decode("latin-1")
        if self.buf and verb not in ("BDAT",) and not self.server.offers("PIPELINING"):
            self.server.violations.append("pipelined behind %r" % line)
        if verb == "AUTH":
            self.server.secrets.append(line)
        self.ask(verb, line, lambda: self.command(verb, line))

    def command(self, verb, line):
        method = getattr(self, "do_" + verb.lower(), None)
        if method:
            method(line)
        else:
            self.say(b"500 5.5.1 Error: command unrecognized\r\n")

    def do_ehlo(self, line):
        self.helo = line
        self.forget()
        lines = ["upstream.example"] + list(self.server.keywords)
        if self.server.identity == "xclient":
            lines.insert(2, "XCLIENT " + self.server.xclient_attributes)
        text = "".join("250%s%s\r\n" % ("-" if number < len(lines) - 1 else " ", word) for number, word in enumerate(lines))
        self.say(text.encode("latin-1"))

    def do_helo(self, line):
        self.helo = line
        self.forget()
        self.say(b"250 upstream.example\r\n")

    def do_xclient(self, line):
        if self.server.identity != "xclient":
            return self.say(b"550 5.7.0 Error: insufficient authorization\r\n")
        for word in line.split(b" ")[1:]:
            name, _, value = word.partition(b"=")
            self.xclient.setdefault(name.decode("latin-1").upper(), []).append(value)
        self.forget()
        self.say(b"220 upstream.example ESMTP\r\n")

    def do_mail(self, line):
        if self.sender is not None and not self.server.mail_resets:
            return self.say(b"503 5.5.1 Error: nested MAIL command\r\n")
        self.sender, self.rcpts = line, []
        self.say(b"250 2.1.0 Ok\r\n")

    def do_rcpt(self, line):
        if self.sender is None:
            return self.say(b"503 5.5.1 Error: need MAIL command\r\n")
        if re.search(rb"nobody|refuse-me", line):
            return self.say(b"550 5.1.1 Recipient address rejected: User unknown\r\n")
        self.rcpts.append(line)
        self.say(b"250 2.1.5 Ok\r\n")

    def do_data(self, line):
        if not self.rcpts:
            return self.say(b"554 5.5.1 Error: no valid recipients\r\n" if self.sender is not None else b"503 5.5.1 Error: need RCPT command\r\n")
        self.state, self.via, self.searched = "content", "DATA", 0
        self.body = bytearray()
        self.say(b"354 End data with <CR><LF>.<CR><LF>\r\n")

    def in_content(self):
        if not self.buf:
            return
        self.received += len(self.buf)
        self.body += self.buf
        self.buf.clear()
        # The virtual CRLF before the content.
        window = b"\r\n" + self.body if self.searched == 0 else bytes(self.body[self.searched:])
        offset = -2 if self.searched == 0 else self.searched
        match = ENDS[self.server.framing].search(window)
        if not match:
            self.searched = max(0, len(self.body) - 16) if len(self.body) > 64 else 0
            if not self.ask("BODY", b"", lambda: None):
                return
            return
        begin, end = offset + match.start(), offset + match.end()
        # What ends the last line belongs to the message.
        first = re.match(rb"\r\n|\r|\n", match.group())
        self.buf += self.body[end:]
        del self.body[max(0, begin + len(first.group())):]
        self.state = "command"
        self.content_ends += 1
        raw = bytes(self.body)
        self.body = bytearray(re.sub(rb"(\A|\r\n)\.", rb"\1", raw))
        self.end_of_data()

    def end_of_data(self):
        # A transaction is over, however its end was answered.
        self.ask("EOD", b"", self.accept)
        if self.resume_at is None:
            self.forget()

    def do_bdat(self, line):
        match = re.match(rb"BDAT (\d+)( LAST)? *\Z", line, re.I)
        if not match:
            self.say(b"521 5.5.4 Syntax: BDAT count [LAST]\r\n")
            self.closing = True
            return
        self.left, self.is_last, self.state = int(match.group(1)), bool(match.group(2)), "chunk"
        if self.via != "BDAT":
            self.via, self.body = "BDAT", bytearray()

    def in_chunk(self):
        taken = self.buf[:self.left]
        del self.buf[:self.left]
        self.left -= len(taken)
        self.received += len(taken)
        if self.rcpts:
            self.body += taken
        if taken and self.left and not self.ask("BODY", b"", lambda: None):
            return
        if self.left:
            return
        self.state = "command"
        if self.buf and not self.server.offers("PIPELINING"):
            self.server.violations.append("pipelined behind a chunk")
        if not self.rcpts:
            self.via = None
            self.ask("CHUNK", b"", lambda: self.say(b"503 5.5.1 Error: need RCPT command\r\n"))
        elif self.is_last:
            self.content_ends += 1
            self.end_of_data()
        else:
            self.ask("CHUNK", b"", lambda: self.say(b"250 2.0.0 Ok\r\n"))

    def accept(self):
        self.server.deliver(Delivery(self))
        self.forget()
        self.say(b"250 2.0.0 Ok: queued as %s\r\n" % self.server.queue_id())

    def forget(self):
        self.sender, self.rcpts, self.via, self.body = None, [], None, bytearray()

    def do_rset(self, line):
        self.forget()
        self.say(b"250 2.0.0 Ok\r\n")

    def do_noop(self, line):
        self.say(b"250 2.0.0 Ok\r\n")

    def do_vrfy(self, line):
        self.say(b"252 2.0.0 try it\r\n")

    do_help = do_vrfy

    def do_auth(self, line):
        words = line.split(b" ")
        if len(words) > 2:
            self.auth = True
            return self.say(b"235 2.7.0 Authentication successful\r\n")
        self.state = "secret"
        self.say(b"334 VXNlcm5hbWU6\r\n")

    def in_secret(self):
        end = self.buf.find(b"\r\n")
        if end < 0:
            return
        self.server.secrets.append(bytes(self.buf[:end]))
        del self.buf[:end + 2]
        self.state, self.auth = "command", True
        self.say(b"235 2.7.0 Authentication successful\r\n")

    def do_quit(self, line):
        self.say(b"221 2.0.0 Bye\r\n")
        self.closing = True

    # -- the socket

    def readable(self):
        try:
            octets = self.sock.recv(262144)
        except BlockingIOError:
            return
        except OSError:
            return self.finish("rst")
        if not octets:
            return self.finish("fin")
        if self.resume_at is not None and not self.server.offers("PIPELINING") and self.state == "command":
            self.server.violations.append("pipelined before the reply: %r" % octets[:40])
        self.buf += octets
        self.work()

    def flush(self):
        try:
            while self.out and self.open:
                sent = self.sock.send(self.out)
                del self.out[:sent]
        except BlockingIOError:
            return
        except OSError:
            return self.finish("rst")
        if self.closing and not self.out:
            self.finish("self")

    def finish(self, how):
        if self.open:
            self.open, self.ended, self.state_at_end = False, how, self.state
            self.server.forget(self)
            self.sock.close()


class Upstream:
    def __init__(self, address="127.0.0.1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, 0))
        self.listener.listen(4096)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.inbox, self.outbox = socket.socketpair()
        self.inbox.setblocking(False)
        self.selector.register(self.inbox, selectors.EVENT_READ)
        self.changed = threading.Condition()
        self.calls, self.queue_number, self.accepts = [], 0, True
        self.identity, self.xclient_attributes = "none", "NAME ADDR PORT PROTO HELO REVERSE_NAME LOGIN DESTADDR DESTPORT"
        self.running = True
        self.live, self.all = set(), []
        self.reset()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def reset(self):
        """Well-behaved again, nothing recorded. Connections stay."""
        self.hook, self.framing, self.keywords, self.mail_resets = None, "strict", list(KEYWORDS), False
        self.deliveries, self.violations, self.secrets = [], [], []
        self.all = [connection for connection in self.all if connection.open]
        for connection in self.all:
            connection.commands, connection.content_ends = [], 0

    def offers(self, keyword):
        return any(word.split(" ")[0] == keyword for word in self.keywords)

    def queue_id(self):
        self.queue_number += 1
        return b"QX%08X" % self.queue_number

    def deliver(self, delivery):
        self.deliveries.append(delivery)

    def forget(self, connection):
        self.live.discard(connection)
        self.watch(connection, 0)

    def watch(self, connection, events):
        """What is heard of this connection from now on."""
        key = self.selector.get_map().get(connection.sock)
        if key and not events:
            self.selector.unregister(connection.sock)
        elif events and not key:
            self.selector.register(connection.sock, events, connection)
        elif events and events != key.events:
            self.selector.modify(connection.sock, events, connection)

    def call(self, function):
        """Runs on the server's thread, and is waited for."""
        done = []
        self.calls.append(lambda: done.append(function()))
        self.outbox.send(b"x")
        if not self.wait(lambda: done):
            raise AssertionError("the upstream's thread stands still")

    def push(self, octets, which=-1):
        """Says something that nobody asked for; guardd has read it then."""
        connection = self.all[which]
        self.call(lambda: connection.say(octets))
        processes.until(lambda: not connection.open or not connection.out and connection.link.is_read(), "guardd reads what it was told")

    def lose(self):
        """Closes all connections; guardd has found it out then, and has closed its ends."""
        lost = list(self.live)
        self.call(lambda: [one.finish("self") for one in lost])
        processes.until(lambda: all(one.link.is_closed() for one in lost), "guardd closes its ends of lost connections")

    def stop_accepting(self):
        self.call(self.close_listener)
        self.wait(lambda: not self.accepts)

    def close_listener(self):
        self.selector.unregister(self.listener)
        self.listener.close()
        self.accepts = False

    def wait(self, condition, seconds=10):
        """Until the condition holds; returns whether it does."""
        with self.changed:
            return self.changed.wait_for(condition, seconds)

    def lines(self):
        return [line for connection in self.all for line in connection.commands]

    def serve(self):
        while self.running:
            pending = [connection.resume_at for connection in self.live if connection.resume_at is not None]
            timeout = max(0, min(pending) - time.monotonic()) if pending else 5
            for key, mask in self.selector.select(timeout):
                if self.accepts and key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj is self.inbox:
                    self.inbox.recv(4096)
                    while self.calls:
                        self.calls.pop(0)()
                else:
                    connection = key.data
                    if mask & selectors.EVENT_READ and connection.open:
                        connection.readable()
            now = time.monotonic()
            for connection in list(self.live):
                connection.wake(now)
                if connection.open and (connection.out or connection.closing):
                    connection.flush()
                if connection.open:
                    self.watch(connection, (selectors.EVENT_READ if connection.is_reading else 0) | (selectors.EVENT_WRITE if connection.out else 0))
            with self.changed:
                self.changed.notify_all()

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except BlockingIOError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self, sock)
        self.live.add(connection)
        self.all.append(connection)
        self.watch(connection, selectors.EVENT_READ)
        if connection.state == "command":
            connection.greet()

    def stop(self):
        def end():
            for connection in list(self.live):
                connection.finish("self")
            self.running = False
        self.call(end)
        self.thread.join(5)
        if self.accepts:
            self.listener.close()
        for sock in (self.inbox, self.outbox):
            sock.close()
        self.selector.close()
