"""Programs that behave as qmail's: qmail-rspawn and qmail-queue's callers, and the real programs behind the hooks.

What they do is described in qmail's own manual pages and source: qmail-rspawn starts qmail-remote by the PATH with the
queue file as descriptor 0 and one pipe as 1 and 2; callers of qmail-queue write the message to descriptor 0 and the
envelope to 1.
"""
import json
import os
import pwd
import signal
import struct
import subprocess
import sys
import uuid

import guardd
import processes
import smtp
from results import check

USER, GROUP = 'games', 'games'             # whom the hooks run as; the daemon's user belongs to the group
DAEMON = 'daemon'

# One that every user may run.
PYTHON = next((path for path in ('/usr/bin/python3', '/usr/local/bin/python3') if os.path.exists(path)), sys.executable)

# Says what it was given, as a file of its own, then answers as qmail-remote.
REMOTE = '''#!{python}
import json, os, sys
offset = os.lseek(0, 0, os.SEEK_CUR)
given = dict(arguments=[os.fsencode(a).decode('latin-1') for a in sys.argv], offset=offset, content=os.read(0, 1 << 24).decode('latin-1'),
             environment=dict(os.environ), descriptors=sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1])
name = os.path.join({out!r}, '%d' % os.getpid())
with open(name + '.part', 'w') as file:
    json.dump(given, file)
os.rename(name + '.part', name + '.json')
os.write(1, b'r192.0.2.1 accepted message.\\0K192.0.2.1 accepted message.\\n\\0')
'''

# Reads both descriptors to their end; a whole envelope makes a mail.
QUEUE = '''#!{python}
import json, os, sys
def read(fd):
    pieces = []
    while True:
        piece = os.read(fd, 1 << 16)
        if not piece:
            return b''.join(pieces)
        pieces.append(piece)
status = int(os.environ.get('FAKE_STATUS', '0'))
message = read(0)
envelope = read(1)
if status:
    text = os.environ.get('FAKE_TEXT')
    if text:
        os.write(6, text.encode())
    os._exit(status)
if not (envelope.startswith(b'F') and envelope.endswith(b'\\0\\0')):
    os._exit(54)
name = os.path.join({out!r}, '%d' % os.getpid())
with open(name + '.part', 'w') as file:
    json.dump(dict(arguments=sys.argv, size=len(message), content=message[:1 << 16].decode('latin-1'), envelope=envelope.decode('latin-1'), environment=dict(os.environ)), file)
os.rename(name + '.part', name + '.json')
os._exit(0)
'''


class UserGuardd(guardd.Guardd):
    """guardd under a user of its own, who is also one of the hooks' group."""

    def prefix(self):
        return ['setpriv', '--reuid=' + DAEMON, '--regid=' + DAEMON, '--groups=' + GROUP]

    def start(self):
        owner = pwd.getpwnam(DAEMON)
        os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        os.chown(self.keys['state_dir'], owner.pw_uid, owner.pw_gid)
        return super().start()

    def launch(self):
        return processes.Process([*self.prefix(), guardd.BINARY, 'run', '--config', self.config], self.output)

    def tool(self, *arguments):
        """A command of guardd as the daemon's user."""
        result = subprocess.run([*self.prefix(), guardd.BINARY, *arguments, '--state-dir', self.keys['state_dir']], capture_output=True, text=True, timeout=60)
        return result.returncode, result.stdout, result.stderr

    def knows(self, *ids):
        """Which of the ids are not in the log."""
        _, out, err = self.tool('sent', 'lookup', *ids)
        check(not err, err)
        return [line for line in out.splitlines() if 'not in the sent log' in line]


class Qmail:
    """A PATH with guardd's hooks before the real programs, and whom they run as."""

    def __init__(self, guard, user=USER, **environment):
        self.folder = processes.folder()
        self.user = pwd.getpwnam(user)
        self.hooks, self.real, self.out, self.mess = (os.path.join(self.folder, name) for name in ('hooks', 'real', 'out', 'mess'))
        for path in (self.hooks, self.real, self.out, self.mess):
            os.mkdir(path)
            os.chmod(path, 0o755)
        os.chown(self.out, self.user.pw_uid, self.user.pw_gid)
        for name, text in (('qmail-remote', REMOTE), ('qmail-queue', QUEUE)):
            os.symlink(guardd.BINARY, os.path.join(self.hooks, name))
            path = os.path.join(self.real, name)
            with open(path, 'w') as file:
                file.write(text.format(python=PYTHON, out=self.out))
            os.chmod(path, 0o755)
        conf = os.path.join(self.folder, 'hooks.conf')
        with open(conf, 'w') as file:
            file.write(f'control_socket = "{guard.keys.get("control_socket") or "/nonexistent"}"\nspool_directory = "{guard.keys["spool_directory"]}"\n'
                       f'qmail_remote = "{self.real}/qmail-remote"\nqmail_queue = "{self.real}/qmail-queue"\nrcpthosts = "{self.folder}/rcpthosts"\n')
        self.environment = {'PATH': f'{self.hooks}:{self.real}:/usr/bin:/bin', 'GUARDD_HOOKS': conf, 'KEPT': 'as it was', **environment}

    def _become(self, cwd):
        def become():
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)
            os.umask(0o077)
            os.chdir(cwd)
        return become

    def given(self):
        """What the real programs were given, since the last time that this was asked."""
        found = []
        for name in sorted(os.listdir(self.out)):
            if name.endswith('.json'):
                path = os.path.join(self.out, name)
                with open(path) as file:
                    found.append(json.load(file))
                os.unlink(path)
        return found

    # qmail-rspawn

    def spawn(self, content, sender='ann@a.example', recipient='bob@b.example', **environment):
        """Starts qmail-remote as qmail-rspawn does: (Popen, reading end of the report)."""
        path = os.path.join(self.mess, uuid.uuid4().hex)
        with open(path, 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, 0o644)
        reading, writing = os.pipe()
        file = os.open(path, os.O_RDONLY)
        popen = subprocess.Popen(['qmail-remote', recipient.split('@')[-1], sender, recipient], stdin=file, stdout=writing, stderr=writing,
                                 env={**self.environment, **environment}, preexec_fn=self._become(self.mess))
        os.close(writing)
        os.lseek(file, 0, os.SEEK_CUR)
        offset = os.lseek(file, 0, os.SEEK_CUR)
        popen.shared = file                     # the same open file as the child's: its offset tells
        popen.begun_at = offset
        return popen, reading

    def remote(self, content, *arguments, **options):
        """The same to its end: (exit status, report, what the real one was given or None)."""
        popen, reading = self.spawn(content, *arguments, **options)
        report = read_all(reading)
        status = popen.wait(timeout=60)
        os.close(popen.shared)
        given = self.given()
        check(len(given) < 2, 'the real one ran twice')
        return status, report, given[0] if given else None

    # callers of qmail-queue

    def enqueue(self, content, envelope=b'Fann@a.example\0Tbob@b.example\0\0', **environment):
        """Starts QMAILQUEUE and writes to it: (exit status, text on descriptor 6, what the real one was given or None, peak of its memory in KiB before
        the last piece of the envelope)."""
        # Whatever else is open: none of the pipes is to be descriptor 6, nor one of subprocess's own. Python's own are not inherited.
        low = []
        while (descriptor := os.open(os.devnull, os.O_RDONLY)) <= 6:
            low.append(descriptor)
        low.append(descriptor)
        message, said = os.pipe(), os.pipe()
        text = os.pipe()

        def prepare():
            os.dup2(message[0], 0)
            os.dup2(said[0], 1)
            os.dup2(text[1], 6)
            self._become('/')()

        popen = subprocess.Popen([os.path.join(self.hooks, 'qmail-queue')], env={**self.environment, **environment}, preexec_fn=prepare, close_fds=False,
                                 stderr=subprocess.DEVNULL)
        for end in (message[0], said[0], text[1], *low):
            os.close(end)
        peak = 0
        for pipe, octets in ((message, content), (said, envelope)):
            try:
                for piece in [octets] if isinstance(octets, bytes) else octets:
                    if pipe is said:
                        peak = memory(popen.pid)
                    while piece:
                        piece = piece[os.write(pipe[1], piece):]
            except BrokenPipeError:
                pass                            # qmail's own callers go on likewise; the exit status tells
            os.close(pipe[1])
        spoken = read_all(text[0])
        status = popen.wait(timeout=60)
        given = self.given()
        return status, spoken, given[0] if given else None, peak


def memory(pid):
    """Peak of its resident memory in KiB; 0 when it has ended."""
    try:
        with open(f'/proc/{pid}/status') as file:
            return int(file.read().split('VmHWM:')[1].split()[0])
    except (OSError, IndexError):
        return 0


def read_all(descriptor):
    pieces = []
    while True:
        piece = os.read(descriptor, 65536)
        if not piece:
            os.close(descriptor)
            return b''.join(pieces)
        pieces.append(piece)


def kill(popen):
    popen.send_signal(signal.SIGKILL)
    popen.wait()


def constant_database(keys):
    """A file as cdbmake(1) writes it, of keys without values."""
    def slot(key):
        value = 5381
        for octet in key:
            value = ((value << 5) + value & 0xffffffff) ^ octet
        return value

    records, tables = b'', [[] for _ in range(256)]
    for key in (key.encode() for key in keys):
        tables[slot(key) & 255].append((slot(key), 2048 + len(records)))
        records += struct.pack('<II', len(key), 0) + key
    head, rest = b'', b''
    for table in tables:
        size = 2 * len(table)
        head += struct.pack('<II', 2048 + len(records) + len(rest), size)
        places = [(0, 0)] * size
        for number, place in table:
            at = (number >> 8) % size
            while places[at][1]:
                at = (at + 1) % size
            places[at] = number, place
        rest += b''.join(struct.pack('<II', *pair) for pair in places)
    return head + records + rest


def accepting(stream):
    """An SMTP server that takes everything: a script for peer.Peer."""
    stream.send('220 mx.a.example ESMTP\r\n')
    while True:
        line = stream.line()
        if line is None:
            return
        verb = line[:4].upper()
        if verb == 'EHLO':
            stream.send('250-mx.a.example\r\n250 PIPELINING\r\n')
        elif verb == 'DATA':
            stream.send('354 go on\r\n')
            while stream.line() != '.':
                continue
            stream.send('250 2.0.0 Ok: queued as 4ABCDEF\r\n')
        elif verb == 'QUIT':
            stream.send('221 bye\r\n')
            return
        else:
            stream.send('250 2.0.0 Ok\r\n')


def bounce(guard, identifier, recipient='nobody@b.example', to='ann@a.example'):
    """Brings a bounce of that mail to guardd: the code of its reply."""
    with smtp.Client(guard.port) as client:
        client.hello('mx.b.example')
        return client.mail('', to, smtp.bounce(identifier, recipient))[0]
