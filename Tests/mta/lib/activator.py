"""guardd as service managers start it: with listening sockets that were passed (sd_listen_fds(3)), a socket for
notifications, a program that can be replaced; and its successors after SIGUSR2.

As a program: activator.py DESCRIPTORS PROGRAM ARGUMENTS..., becomes the program with those descriptors as 3, 4, 5 ..."""
import os
import shutil
import signal
import socket
import sys

if __name__ == '__main__':
    copies = [int(number) for number in sys.argv[1].split(',')]
    for index, copy in enumerate(copies):
        os.dup2(copy, 100 + index, inheritable=True)
    for index in range(len(copies)):
        os.dup2(100 + index, 3 + index, inheritable=True)
    os.closerange(3 + len(copies), 200)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(copies)))
    os.execv(sys.argv[2], sys.argv[2:])

import guardd
import processes
from results import check


def listening(address='127.0.0.1', port=None, dual=False, kind=socket.SOCK_STREAM):
    """A socket as systemd makes it: bound, listening, blocking."""
    made = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ':' in address:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
    while True:
        try:
            made.bind((address, port or processes.free_port()))
            break
        except OSError:                     # free on loopback, taken on another address that a wildcard covers
            if port or address != '::':
                raise
    if kind == socket.SOCK_STREAM:
        made.listen(1000)
    return made


class Guardd(guardd.Guardd):
    """`passed`: sockets to be activated with. `notify`: has it told a service manager. `pid`: who serves now. `copied`: the
    program is a copy that every user may start."""

    def __init__(self, upstream, identity='none', passed=(), notify=False, environment=None, copied=False, **keys):
        self.passed = passed
        self.environment = dict(os.environ, **(environment or {}))
        self.program = os.path.join(processes.folder(), 'guardd')
        if copied:
            shutil.copy(guardd.BINARY, self.program)
        else:
            os.symlink(guardd.BINARY, self.program)
        self.notified = None
        if notify:
            path = notify if isinstance(notify, str) else os.path.join(os.path.dirname(self.program), 'notify')
            self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.notified.bind('\0' + path[1:] if path.startswith('@') else path)
            self.notified.settimeout(30)
            if not path.startswith('@'):
                os.chmod(path, 0o777)
            self.environment['NOTIFY_SOCKET'] = path
        if passed:
            keys.setdefault('port', passed[0].getsockname()[1])
        super().__init__(upstream, identity, **keys)

    def launch(self):
        command = [self.program, 'run', '--config', self.config]
        numbers = [passed.fileno() for passed in self.passed]
        if numbers:
            command = [sys.executable, os.path.abspath(__file__), ','.join(map(str, numbers))] + command
        process = processes.Process(command, self.output, self.environment, numbers)
        self.pid = process.pid
        return process

    def replace(self, text):
        """Another program in the place of guardd's: a script, or guardd itself again."""
        os.unlink(self.program)
        if text is None:
            return os.symlink(guardd.BINARY, self.program)
        with open(self.program, 'w') as file:
            file.write(text)
        os.chmod(self.program, 0o755)

    def hand_over(self, seconds=60, stands_still=False):
        """SIGUSR2 to the one that serves; returns when its successor does, whose process id is `pid` then. One that stands still
        by SIGSTOP finds the signal when it goes on."""
        begun = len(self.log)
        os.kill(self.pid, signal.SIGUSR2)
        if stands_still:
            os.kill(self.pid, signal.SIGCONT)
        found = self.logged(r'the new guardd (?:serves, process (\d+)|does not serve)', seconds, begun)
        check(found[1], self.log[begun:])
        self.pid = int(found[1])
        return self.pid

    def told(self):
        """The next notification, as {key: value}."""
        return dict(line.split('=', 1) for line in self.notified.recv(4096).decode().split('\n'))

    def is_running(self, pid):
        """A process that has ended and is not reaped yet does not run."""
        try:
            with open(f'/proc/{pid}/stat') as file:
                return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
        except (FileNotFoundError, ProcessLookupError):
            return False

    def stop(self, seconds=30):
        """SIGTERM to the one that serves; waits for its end."""
        os.kill(self.pid, signal.SIGTERM)
        processes.until(lambda: not self.is_running(self.pid), lambda: 'still there:\n' + self.log, seconds)
