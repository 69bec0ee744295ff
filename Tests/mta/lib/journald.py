"""A real systemd-journald with a journal, a boot and a machine of its own, that the real journalctl reads.

`enter` starts the script once more in a mount namespace where /run, /var/log, /dev, /etc/machine-id and the boot's id are
the test's own: nothing of the machine's journal is seen or touched, and all that the script starts sees the same.
"""
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import uuid

import processes

PROGRAM = next((path for path in ('/lib/systemd/systemd-journald', '/usr/lib/systemd/systemd-journald') if os.path.exists(path)), None)
INSIDE = 'GUARDD_TEST_JOURNALD'
SOCKET = '/run/systemd/journal/dev-log'
BOOT_ID = '/proc/sys/kernel/random/boot_id'
SETTINGS = '''[Journal]
Storage=persistent
ForwardToSyslog=no
ReadKMsg=no
Audit=no
RateLimitIntervalSec=2s
RateLimitBurst=100
'''


def missing():
    """Why it can't be run here, or None."""
    if not PROGRAM or not shutil.which('journalctl'):
        return 'systemd-journald and journalctl are not installed'
    if os.geteuid() != 0:
        return 'a mount namespace needs root'
    if not os.path.exists('/etc/machine-id'):
        return 'there is no /etc/machine-id'
    probe = subprocess.run(['unshare', '--mount', '--propagation', 'private', 'mount', '-t', 'tmpfs', 'tmpfs', '/run'], capture_output=True, text=True)
    return None if probe.returncode == 0 else 'no mount namespace can be had: ' + probe.stderr.strip()


def enter():
    """Goes on in a namespace of its own; does not return outside of it."""
    if INSIDE not in os.environ:
        os.environ[INSIDE] = tempfile.mkdtemp(prefix='guardd-test-journal-')
        command = ['unshare', '--mount', '--propagation', 'private', sys.executable, *sys.argv]
        status = subprocess.run(command).returncode
        shutil.rmtree(os.environ[INSIDE], ignore_errors=True)
        sys.exit(status)
    folder = os.environ[INSIDE]
    for name in ('run', 'log', 'dev'):
        os.mkdir(os.path.join(folder, name))
    _copy_devices(os.path.join(folder, 'dev'))
    for name, place in (('dev', '/dev'), ('run', '/run'), ('log', '/var/log')):
        _mount('--rbind', os.path.join(folder, name), place)
    os.symlink(SOCKET, '/dev/log')
    for path in ('/run/systemd/journald.conf.d', '/run/systemd/journal', '/run/log/journal', '/run/lock'):
        os.makedirs(path)
    with open('/run/systemd/journald.conf.d/test.conf', 'w') as file:
        file.write(SETTINGS)
    machine = uuid.uuid4().hex
    bind_text(machine, '/etc/machine-id')
    os.makedirs('/var/log/journal/' + machine)
    bind_text(str(uuid.uuid4()), BOOT_ID)
    return machine


def _mount(*words):
    subprocess.run(['mount', *words], check=True)


def bind_text(text, place):
    """A file with this text in the place of another, for all that see the test's namespace."""
    path = os.path.join(os.environ[INSIDE], uuid.uuid4().hex)
    with open(path, 'w') as file:
        file.write(text + '\n')
    _mount('--bind', path, place)


def _copy_devices(folder):
    _mount('-t', 'tmpfs', 'tmpfs', folder)
    for name in os.listdir('/dev'):
        kind = os.lstat('/dev/' + name)
        if stat.S_ISCHR(kind.st_mode) and name in ('null', 'zero', 'full', 'random', 'urandom', 'tty'):
            os.mknod(f'{folder}/{name}', kind.st_mode, kind.st_rdev)
            os.chmod(f'{folder}/{name}', stat.S_IMODE(kind.st_mode))
        elif stat.S_ISLNK(kind.st_mode) and name in ('fd', 'stdin', 'stdout', 'stderr'):
            os.symlink(os.readlink('/dev/' + name), f'{folder}/{name}')
        elif name in ('pts', 'shm') and stat.S_ISDIR(kind.st_mode):
            os.mkdir(f'{folder}/{name}')
            _mount('--rbind', '/dev/' + name, f'{folder}/{name}')


class Journald:
    """A running one. Only after `enter`."""

    def __init__(self):
        self.process = None
        self.start()

    def start(self):
        self.process = processes.Process([PROGRAM], os.path.join(processes.folder(), 'log'))
        processes.until(lambda: self.process.status is not None or self._listens(), lambda: 'journald does not listen: ' + self.process.text())

    def _listens(self):
        try:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.socket.connect(SOCKET)
            return True
        except OSError:
            return False

    def end(self):
        self.process.end()
        os.unlink(SOCKET)

    def reboot(self):
        """Another boot, as the kernel's random id tells; the journal stays."""
        self.end()
        bind_text(str(uuid.uuid4()), BOOT_ID)
        if os.path.exists('/run/systemd/journal/flushed'):
            os.unlink('/run/systemd/journal/flushed')
        self.start()

    def write(self, program, text, process=7):
        """As syslog(3) of the C library: `text` is str or bytes."""
        octets = text if isinstance(text, bytes) else text.encode()
        self.socket.send(f'<22>Nov 22 11:00:00 {program}[{process}]: '.encode() + octets)

    def ctl(self, *words):
        """journalctl: its standard output."""
        result = subprocess.run(['journalctl', '--no-pager', '--quiet', *words], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stderr
        return result.stdout
