"""haproxy instances of the test's own, in the foreground, with the configuration that a test writes."""
import os
import shutil
import socket
import subprocess

import processes

BINARY = shutil.which('haproxy') or '/usr/sbin/haproxy'


def missing():
    """Why haproxy can't be run here, or None."""
    return None if os.path.exists(BINARY) else 'haproxy is not installed (make deps)'


class HAProxy:
    """One process. `sections`: what stands below global and defaults; `port`: waited for until it listens."""

    def __init__(self, sections, port):
        self.dir = processes.folder()
        self.config = os.path.join(self.dir, 'haproxy.cfg')
        self.output = os.path.join(self.dir, 'out')
        self.stats = os.path.join(self.dir, 'stats')
        with open(self.config, 'w') as file:
            file.write(f'''global
  stats socket {self.stats} level admin
defaults
  mode tcp
  timeout connect 10s
  timeout client 120s
  timeout server 120s
  timeout check 10s
{sections}
''')
        checked = subprocess.run([BINARY, '-c', '-f', self.config], capture_output=True, text=True, timeout=60)
        assert checked.returncode == 0, checked.stderr + checked.stdout
        self.process = processes.Process([BINARY, '-db', '-f', self.config], self.output)
        processes.until(lambda: processes.listens(port) and os.path.exists(self.stats), lambda: 'haproxy does not listen: ' + self.process.text())

    def state(self, backend, server):
        """The status of a server as the statistics say it: 'UP', 'DOWN', ..., and what the last check said."""
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(self.stats)
            one.sendall(b'show stat\n')
            text = b''
            while more := one.recv(65536):
                text += more
        rows = [line.split(',') for line in text.decode().lstrip('# ').splitlines() if line]
        for row in rows[1:]:
            if row[:2] == [backend, server]:
                fields = dict(zip(rows[0], row))
                return fields['status'], fields.get('check_status', ''), fields.get('last_chk', '')
        raise AssertionError(f'no {backend}/{server} in {text!r}')

    def end(self):
        self.process.end()
