"""A Redis server of the test's own, on a loopback port or a Unix socket, never the system's."""
import os
import shutil
import signal
import subprocess

import processes

PROGRAM = shutil.which('redis-server')
MISSING = None if PROGRAM and shutil.which('redis-cli') else 'redis-server and redis-cli are not installed'


class Redis:
    """A running server with an append-only file in a folder of its own. `keys`: more settings."""

    def __init__(self, unix=False, password=None, **keys):
        self.folder = processes.folder()
        self.password = password
        self.socket = os.path.join(self.folder, 's') if unix else None
        self.port = 0 if unix else processes.free_port()
        self.settings = {'port': self.port, 'dir': self.folder, 'appendonly': 'yes', 'save': '', 'bind': '127.0.0.1', 'enable-debug-command': 'yes',
                         **({'unixsocket': self.socket} if unix else {}), **({'requirepass': password} if password else {}),
                         **{key.replace('_', '-'): value for key, value in keys.items()}}
        self.process = None
        self.start()

    @property
    def url(self):
        return f'redis+unix://{self.socket}' if self.socket else f'redis://127.0.0.1:{self.port}/0'

    def start(self):
        words = [PROGRAM]
        for key, value in self.settings.items():
            words += [f'--{key}', str(value)]
        self.process = processes.Process(words, os.path.join(self.folder, 'log'))
        processes.until(lambda: self.process.status is not None or self.cli('ping') == 'PONG', 'redis is up')
        return self

    def kill(self):
        """Ends it at once; what it has acknowledged is in its file, but for the last second."""
        self.process.signal(signal.SIGKILL)
        self.process.wait(10)

    def empty(self):
        """Its data is lost."""
        for name in os.listdir(self.folder):
            if name.startswith('appendonly'):
                shutil.rmtree(os.path.join(self.folder, name))

    def cli(self, *words):
        where = ['-s', self.socket] if self.socket else ['-p', str(self.port)]
        secret = ['-a', self.password, '--no-auth-warning'] if self.password else []
        return subprocess.run(['redis-cli', *where, *secret, *words], capture_output=True, text=True, timeout=60).stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()
