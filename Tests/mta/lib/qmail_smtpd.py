"""Behaves as qmail-smtpd does where that matters to guardd, and on demand as a broken one.

qmail_smtpd.py FOLDER [FAULT…]: SMTP on descriptors 0 and 1. FOLDER/PID.json tells what it was started with, FOLDER/PID.N
holds its Nth mail: a line of JSON with the envelope, then the content with LF line ends, FOLDER/PID.stray that a line feed
without CR came. FAULT is WHAT:WHERE; WHERE is START, a verb, CONTENT (its first octets came) or END (it has come whole).
WHAT: `die`; `hang`; `garbage`; `say=TEXT`, then die. `deaf` alone: SIGTERM is ignored.

The facts: one reply a command, 502 to all it does not know; MAIL takes any parameter, anything for a sender, and begins
anew; RCPT is checked against one domain unless RELAYCLIENT is there; a bare LF in content is answered 451 and the process
exits; it exits with 1 when the client has gone.
"""
import json
import os
import re
import signal
import sys
import time

DOMAIN = b'a.example'


class Gone(Exception):
    """The end of the input."""


class Server:
    def __init__(self, folder, faults):
        self.folder, self.faults = folder, faults
        self.buffer = b''
        self.count = 0
        self.sender, self.recipients = None, []
        self.name = os.environ.get('TCPLOCALHOST', 'unknown').encode()

    def say(self, text):
        os.write(1, text + b'\r\n')

    def octet(self):
        if not self.buffer:
            self.buffer = os.read(0, 8192)
            if not self.buffer:
                raise Gone
        first, self.buffer = self.buffer[:1], self.buffer[1:]
        return first

    def line(self):
        line = b''
        while (octet := self.octet()) != b'\n':
            line += octet
        return line.removesuffix(b'\r')

    def fault(self, where):
        for fault in self.faults:
            what, _, place = fault.rpartition(':')
            if place != where:
                continue
            if what == 'hang':
                while True:
                    signal.pause()
            if what == 'garbage':
                self.say(b'\0\xff what?')
            if what.startswith('say='):
                self.say(what[4:].encode())
            if what != 'garbage':
                os._exit(3 if what == 'die' else 1)

    def run(self):
        self.fault('START')
        self.say(b'220 ' + self.name + b' ESMTP')
        while True:
            line = self.line()
            verb, _, argument = line.partition(b' ')
            verb = verb.upper().decode('latin-1')
            self.fault(verb)
            self.answer(verb, argument)

    def answer(self, verb, argument):
        if verb == 'QUIT':
            self.say(b'221 ' + self.name)
            raise SystemExit(0)
        if verb == 'EHLO':
            return self.say(b'250-' + self.name + b'\r\n250-PIPELINING\r\n250 8BITMIME')
        if verb == 'MAIL':
            self.sender, self.recipients = self.address(argument), []
            return self.say(b'250 ok')
        if verb == 'RCPT':
            return self.recipient(argument)
        if verb == 'DATA':
            return self.data()
        if verb == 'RSET':
            self.sender = None
        simple = {'HELO': b'250 ' + self.name, 'RSET': b'250 flushed', 'NOOP': b'250 ok', 'HELP': b'214 notqmail home page: https://notqmail.org',
                  'VRFY': b'252 send some mail, i\'ll try my best'}
        self.say(simple.get(verb, b'502 unimplemented (#5.5.1)'))

    def address(self, argument):
        found = re.search(rb'<([^>]*)', argument) or re.search(rb':\s*(\S*)', argument)
        return found.group(1) if found else b''

    def recipient(self, argument):
        if self.sender is None:
            return self.say(b'503 MAIL first (#5.5.1)')
        path, relay = self.address(argument), os.environ.get('RELAYCLIENT')
        if relay is None and not path.lower().endswith(b'@' + DOMAIN):
            return self.say(b"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")
        self.recipients.append(path + (relay or '').encode())
        self.say(b'250 ok')

    def data(self):
        if self.sender is None or not self.recipients:
            return self.say(b'503 MAIL first (#5.5.1)' if self.sender is None else b'503 RCPT first (#5.5.1)')
        self.say(b'354 go ahead')
        content = self.content()
        self.fault('END')
        if len(content) > int(os.environ.get('DATABYTES', 0) or len(content)):
            return self.say(b'552 sorry, that message size exceeds my databytes limit (#5.3.4)')
        self.count += 1
        envelope = {'sender': self.sender.decode('latin-1'), 'recipients': [path.decode('latin-1') for path in self.recipients]}
        write(os.path.join(self.folder, f'{os.getpid()}.{self.count}'), json.dumps(envelope).encode() + b'\n' + content)
        self.say(b'250 ok %d qp %d' % (time.time(), os.getpid()))
        self.sender, self.recipients = None, []

    def content(self):
        """Reads to CR LF dot CR LF as qmail does: the dot of a line is taken away unless CR without LF follows."""
        text, line = b'', b''
        while True:
            octet = self.octet()
            self.fault('CONTENT')
            line += octet
            if octet != b'\n':
                continue
            if not line.endswith(b'\r\n'):
                self.say(b'451 See https://cr.yp.to/docs/smtplf.html.')
                write(os.path.join(self.folder, f'{os.getpid()}.stray'), b'')
                os._exit(1)
            if line == b'.\r\n':
                return text
            text += (line[1:] if line.startswith(b'.') and not line.startswith(b'.\r') else line)[:-2] + b'\n'
            line = b''


def write(path, octets):
    """Whole, or not there."""
    with open(path + '.new', 'wb') as file:
        file.write(octets)
    os.rename(path + '.new', path)


def start_facts():
    with open('/proc/self/status') as file:
        status = dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)
    descriptors = {}
    for name in os.listdir('/proc/self/fd'):
        try:
            descriptors[name] = os.readlink('/proc/self/fd/' + name)
        except FileNotFoundError:                       # the one that listed them
            continue
    return {'environment': dict(os.environ), 'arguments': sys.argv, 'descriptors': descriptors, 'session': os.getsid(0), 'group': os.getpgid(0),
            'pid': os.getpid(), 'user': os.getuid(),
            'capabilities': int(status['CapEff'], 16), 'blocked': int(status['SigBlk'], 16), 'ignored': int(status['SigIgn'], 16)}


def main():
    folder, faults = sys.argv[1], sys.argv[2:]
    facts = start_facts()
    if 'deaf' in faults:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write(os.path.join(folder, f'{os.getpid()}.json'), json.dumps(facts).encode())
    try:
        Server(folder, faults).run()
    except Gone:
        sys.exit(1)


main()
