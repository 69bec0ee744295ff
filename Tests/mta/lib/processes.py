"""Processes that end with the test, scratch folders that vanish with it, and waiting for conditions.

Nothing here waits for a fixed time as synchronisation: `until` asks a condition again and again until a deadline. `ticks` is
the one clock of all tests.
"""
import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

_running = []
_folders = []


def _die_with_parent():
    """In the child: SIGTERM when this script dies without having ended it (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)


class Process:
    """A child in a session of its own; its output goes to a file. `descriptors`: what it inherits, under the same numbers."""

    def __init__(self, command, output, environment=None, descriptors=()):
        self.output = output
        with open(output, 'ab') as out:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment,
                                          start_new_session=True, preexec_fn=_die_with_parent, pass_fds=descriptors)
        self.pid = self.popen.pid
        _running.append(self)

    @property
    def status(self):
        """Exit status, or None while it runs."""
        return self.popen.poll()

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, seconds):
        return self.popen.wait(timeout=seconds)

    def end(self, seconds=10):
        """SIGTERM, then SIGKILL to it and to what it started."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.popen.wait()
        if self in _running:
            _running.remove(self)

    def text(self):
        with open(self.output, encoding='utf-8', errors='replace') as file:
            return file.read()


def folder():
    """A new scratch folder that other users may enter."""
    path = tempfile.mkdtemp(prefix='guardd-test-')
    os.chmod(path, 0o755)
    _folders.append(path)
    return path


def ticks(interval):
    """Yields the seconds since the first tick: at once, and from then on every `interval` seconds.

    For conditions that no event tells of, for peers whose slowness is what a case is about, and for measurements over a time. A
    late machine makes ticks late: what is due at a tick follows from the seconds that it yields, not from the number of ticks.
    """
    begun = time.monotonic()
    due = begun
    while True:
        yield time.monotonic() - begun
        due = max(due + interval, time.monotonic())
        time.sleep(max(0, due - time.monotonic()))


def until(condition, what, seconds=20):
    """Asks `condition` until it gives something true, and returns that.

    Raises AssertionError with `what` (a text, or a function that gives one) after `seconds`.
    """
    for elapsed in ticks(0.02):
        result = condition()
        if result:
            return result
        if elapsed > seconds:
            raise AssertionError('not within %d s: %s' % (seconds, what() if callable(what) else what))


_given = set()


def free_port():
    """A port that nothing listens on, over IPv4 and IPv6, never given before.

    On any address: who binds 0.0.0.0 is refused a port that a client's connection on one of them has just used."""
    while True:
        with socket.socket() as probe:
            probe.bind(('0.0.0.0', 0))
            port = probe.getsockname()[1]
        if port not in _given and (not HAS_IPV6 or _binds('::1', port)):
            _given.add(port)
            return port


def _binds(address, port):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((address, port))
            return True
    except OSError:
        return False


# Containers often have none.
HAS_IPV6 = _binds('::1', 0)


def listens(port, address='127.0.0.1'):
    try:
        socket.create_connection((address, port), timeout=5).close()
        return True
    except OSError:
        return False


@atexit.register
def clean():
    for process in list(_running)[::-1]:
        process.end()
    for path in _folders:
        if os.environ.get('GUARDD_TEST_KEEP'):
            print('  # kept: ' + path, flush=True)
        else:
            shutil.rmtree(path, ignore_errors=True)


for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(_number, lambda number, frame: sys.exit(128 + number))
