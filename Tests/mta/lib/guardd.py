"""guardd as a process, with a configuration file written from keywords."""
import json
import os
import re
import signal
import subprocess

import processes
from results import check

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BINARY = os.environ.get('GUARDD') or os.path.join(ROOT, '.build', 'debug', 'guardd')


class Guardd:
    """A running guardd. `log` is what it has written to standard error.

    `door`: more keys of the listeners. `more`: text behind all, for tables of its own.
    """

    def __init__(self, upstream, identity='none', listen=('127.0.0.1',), port=None, direction='auto', outbound_port=None, start=True, door=None,
                 more='', **keys):
        self.folder = processes.folder()
        self.port = port or processes.free_port()
        self.listeners = [(address, self.port, direction) for address in listen]
        if outbound_port:
            self.listeners.append(('127.0.0.1', outbound_port, 'outbound'))
        self.door = door or {}
        self.more = more
        self.keys = {'hostname': 'guard.example', 'workers': 2, 'max_connections_per_client': 0, 'log_repeat_limit': 0,
                     'state_dir': os.path.join(self.folder, 'state'),
                     'upstream': upstream, 'upstream_identity': identity, **keys}
        os.makedirs(self.keys['state_dir'], mode=0o700, exist_ok=True)
        self.config = os.path.join(self.folder, 'guardd.toml')
        self.output = os.path.join(self.folder, 'log')
        self.process = None
        self.write()
        if start:
            self.start()

    def write(self, **changes):
        """Writes the configuration file, with changes that stay."""
        self.keys.update(changes)
        lines = [f'{key} = {toml(value)}' for key, value in self.keys.items() if value is not None]
        for address, port, direction in self.listeners:
            shown = f'[{address}]' if ':' in address else address
            lines += ['', '[[listener]]', f'address = "{shown}:{port}"', f'direction = "{direction}"']
            lines += [f'{key} = {toml(value)}' for key, value in self.door.items()]
        lines += ['', self.more]
        with open(self.config, 'w') as file:
            file.write('\n'.join(lines) + '\n')

    def launch(self):
        return processes.Process([BINARY, 'run', '--config', self.config], self.output)

    def start(self):
        begun = len(self.log)
        self.process = self.launch()
        processes.until(lambda: self.process.status is not None or 'guardd serves on' in self.log[begun:],
                        lambda: 'guardd is not ready: ' + self.log[begun:])
        check(self.process.status is None, 'guardd has ended', self.log[begun:])
        return self

    @property
    def log(self):
        if not os.path.exists(self.output):
            return ''
        with open(self.output, encoding='utf-8', errors='replace') as file:
            return file.read()

    def logged(self, pattern, seconds=20, after=0):
        """Waits for a log line that matches, behind the first `after` characters."""
        return processes.until(lambda: re.search(pattern, self.log[after:]), lambda: f'no {pattern!r} in log:\n{self.log[after:]}', seconds)

    def reload(self, answer):
        """SIGHUP, and waits for the log line that answers it."""
        begun = len(self.log)
        self.process.signal(signal.SIGHUP)
        self.logged(answer, after=begun)

    def end(self):
        if self.process:
            self.process.end()


def toml(value):
    """A value as TOML writes it: JSON does, but for tables."""
    if isinstance(value, dict):
        return '{ ' + ', '.join(f'{key} = {toml(inner)}' for key, inner in value.items()) + ' }'
    if isinstance(value, list):
        return '[' + ', '.join(toml(inner) for inner in value) + ']'
    return json.dumps(value)


def tool(*arguments, **options):
    """Runs a command of guardd to its end: (status, standard output, standard error)."""
    result = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, **options)
    return result.returncode, result.stdout, result.stderr
