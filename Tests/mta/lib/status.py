"""guardd with its status socket, asked with curl and with plain sockets; Prometheus' tools, unpacked where they are not installed."""
import glob
import json
import os
import re
import shutil
import socket
import subprocess

import guardd
import peer
import processes
import qmail
import smtp
from results import check, equal
from smtp import Client

REPOSITORY = guardd.ROOT


class Site:
    """guardd before a server that takes everything, with a status socket and a port. `keys` as for guardd.Guardd."""

    def __init__(self, covered=True, **keys):
        self.upstream = peer.Peer(qmail.accepting)
        self.port = processes.free_port()
        self.folder = processes.folder()
        self.socket = os.path.join(self.folder, 'status')
        settings = {'protected_domains': ['a.example'], 'status_socket': self.socket, 'status_listen': f'127.0.0.1:{self.port}',
                    'outgoing_networks': ['127.0.0.2'], 'max_connections': 4000, **keys}
        self.guard = guardd.Guardd(f'127.0.0.1:{self.upstream.port}', **settings)
        if covered:
            equal(guardd.tool('sent', 'cover', '--since', '30d', '--state-dir', self.guard.keys['state_dir'])[0], 0)

    def curl(self, target, *arguments):
        return curl(self.socket, target, *arguments)

    def json(self):
        status, fields, body = self.curl('/status.json')
        equal((status, fields['content-type']), (200, 'application/json'))
        return json.loads(body)

    def metrics(self):
        return metrics(self.socket)

    def send(self, identifier, recipient='bob@b.example'):
        """An outgoing mail."""
        with Client(self.guard.port, '127.0.0.2') as client:
            client.hello()
            client.mail('ann@a.example', recipient, smtp.message(identifier), '250')

    def bounce(self, identifier, to='ann@a.example', helo='mx.b.example'):
        """Brings a bounce of that mail: the code of its reply."""
        with Client(self.guard.port) as client:
            client.command('EHLO ' + helo)
            return client.mail('', to, smtp.bounce(identifier))[0]


def curl(path, target, *arguments):
    """(status, header fields by lower-case name, body) over the Unix socket at `path`."""
    done = subprocess.run(['curl', '-sS', '-i', '--max-time', '60', '--unix-socket', path, *arguments, 'http://localhost' + target],
                          capture_output=True, timeout=90)
    equal(done.returncode, 0, done.stderr)
    head, _, body = done.stdout.partition(b'\r\n\r\n')
    lines = head.decode().split('\r\n')
    fields = {name.lower(): value for name, _, value in (line.partition(': ') for line in lines[1:])}
    return int(lines[0].split()[1]), fields, body


def metrics(path):
    """Values by name and labels as they are written."""
    values = {}
    for line in curl(path, '/metrics')[2].decode().split('\n'):
        if line and not line.startswith('#'):
            name, value = line.rsplit(' ', 1)
            values[name] = float(value)
    return values


def raw(path, octets):
    """What comes to these octets until the other side closes."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(path)
        connection.sendall(octets)
        pieces = []
        while True:
            piece = connection.recv(65536)
            if not piece:
                return b''.join(pieces)
            pieces.append(piece)


_tools = {}


def prometheus(name):
    """The path of promtool or prometheus, or None. The package is not installed, for that would start a service."""
    if shutil.which(name):
        return shutil.which(name)
    if not _tools and shutil.which('apt-get') and shutil.which('dpkg'):
        folder = processes.folder()
        subprocess.run(['apt-get', 'download', 'prometheus'], cwd=folder, capture_output=True, timeout=300)
        for package in glob.glob(os.path.join(folder, '*.deb')):
            subprocess.run(['dpkg', '-x', package, folder], check=True)
        _tools['folder'] = os.path.join(folder, 'usr', 'bin')
    path = os.path.join(_tools.get('folder', '/nonexistent'), name)
    return path if os.path.exists(path) else None


def table():
    """Names and types of the metrics, from the page that guardd prints."""
    status, page, error = guardd.tool('check', '--print-reference', 'metrics')
    equal(status, 0, error)
    found = dict(re.findall(r'^\| `(\w+)` \| (\w+) \|', page, re.M))
    check(len(found) > 30, found)
    return found
