"""A real Exim, without installing it: that would remove another mail server. Its packages are fetched and unpacked into a
scratch folder, and it runs in a mount namespace in which its user and its libraries are known.
"""
import glob
import os
import re
import shutil
import subprocess

import processes
from processes import until

PACKAGES = ['libidn12', 'libgnutls-dane0', 'libunbound8', 'libdb5.3', 'libpcre2-8-0', 'libevent-2.1-7']
# The light daemon knows no PROXY.
DAEMONS = {'light': ['exim4-daemon-light'], 'heavy': ['exim4-daemon-heavy', 'libmariadb3', 'libspf2-2', 'libldap-2.5-0', 'libpq5', 'libperl5.36', 'libsasl2-2', 'libnsl2']}
USER = 'Debian-exim'

CONFIG = '''exim_path = {binary}
exim_user = {user}
exim_group = {user}
primary_hostname = mx.{domain}
qualify_domain = {domain}
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
pid_file_path = {dir}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts =
keep_environment =
trusted_users = root
host_lookup =
recipient_unqualified_hosts = *
acl_smtp_rcpt = accept
acl_smtp_data = accept
{main}
begin routers
{routers}
own:
  driver = accept
  domains = {domain}
  transport = box
out:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = out
begin transports
box:
  driver = appendfile
  file = {dir}/mail/box
  user = {user}
  no_mode_fail_narrower
out:
  driver = smtp
  port = {out}
  allow_localhost
  interface = 127.0.0.1
  hosts_try_fastopen =
'''

# In a mount namespace: the user, the libraries, then the program.
ENTER = '''set -e
mount --bind {dir}/passwd /etc/passwd
mount --bind {dir}/group /etc/group
ldconfig -C {dir}/ld.so.cache {libraries} 2>/dev/null
mount --bind {dir}/ld.so.cache /etc/ld.so.cache
exec "$@"
'''

_unpacked = {}


def missing(daemon='light'):
    """Why Exim can't be run here, or None. One daemon for each script."""
    if os.geteuid() != 0 or not shutil.which('unshare'):
        return 'Exim can be started by root only, with unshare(1)'
    if subprocess.run(['unshare', '-m', 'true'], capture_output=True).returncode != 0:
        return 'no mount namespace can be made here'
    if not shutil.which('apt-get'):
        return 'Exim is fetched with apt-get, which is not here'
    if 'reason' not in _unpacked:
        _unpacked['reason'] = unpack(daemon)
    return _unpacked['reason']


def unpack(daemon):
    """Fetches and unpacks; why not, or None."""
    top = processes.folder()
    for package in DAEMONS[daemon] + PACKAGES:
        subprocess.run(['apt-get', 'download', package], cwd=top, capture_output=True, timeout=300)
    for package in glob.glob(os.path.join(top, '*.deb')):
        subprocess.run(['dpkg', '-x', package, os.path.join(top, 'root')], check=True)
    binary = os.path.join(top, 'root', 'usr', 'sbin', 'exim4')
    if not os.path.exists(binary):
        return f"exim4-daemon-{daemon} can't be fetched with apt-get download"
    libraries = sorted({os.path.dirname(path) for path in glob.glob(os.path.join(top, 'root', '**', '*.so.*'), recursive=True)})
    lacking = subprocess.run(['ldd', binary], capture_output=True, text=True, env={'LD_LIBRARY_PATH': ':'.join(libraries)}).stdout
    if 'not found' in lacking:
        return 'Exim lacks ' + ', '.join(re.findall(r'(\S+) => not found', lacking))
    _unpacked.update(binary=binary, libraries=libraries)
    return None


class Exim:
    """A running daemon. `out`: the port on 127.0.0.1 to which all mail for other domains goes.

    `main`: more of the main section, which may have local_interfaces of its own, with that `port`.
    """

    def __init__(self, out, domain='a.example', main='', routers='', port=None):
        self.dir = processes.folder()
        self.domain = domain
        self.port = port or processes.free_port()
        uid = 60_990
        for name in ('spool', 'log', 'mail'):
            os.mkdir(os.path.join(self.dir, name), 0o750)
            os.chown(os.path.join(self.dir, name), uid, uid)
        for name, line in (('passwd', f'{USER}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n'), ('group', f'{USER}:x:{uid}:\n')):
            with open(f'/etc/{name}') as own, open(os.path.join(self.dir, name), 'w') as file:
                file.write(own.read() + line)
        self.config = os.path.join(self.dir, 'exim.conf')
        with open(self.config, 'w') as file:
            text = CONFIG.replace('local_interfaces = 127.0.0.1\n', '') if 'local_interfaces' in main else CONFIG
            file.write(text.format(dir=self.dir, binary=_unpacked['binary'], user=USER, domain=domain, port=self.port, out=out, main=main, routers=routers))
        self.enter = os.path.join(self.dir, 'enter')
        with open(self.enter, 'w') as file:
            file.write(ENTER.format(dir=self.dir, libraries=' '.join(_unpacked['libraries'])))
        self.process = processes.Process(self.command('-bdf', '-q1s'), os.path.join(self.dir, 'out'))
        until(lambda: processes.listens(self.port), lambda: f'Exim does not listen: {self.process.text()} {self.log}')

    def command(self, *arguments):
        return ['unshare', '-m', 'sh', self.enter, _unpacked['binary'], '-C', self.config, *arguments]

    def send(self, sender, recipient, content):
        """As a program on this machine."""
        done = subprocess.run(self.command('-i', '-f', sender, recipient), input=content, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + self.log

    @property
    def main_log(self):
        return os.path.join(self.dir, 'log', 'mainlog')

    @property
    def log(self):
        found = ''
        for path in glob.glob(os.path.join(self.dir, 'log', '*')):
            with open(path, encoding='utf-8', errors='replace') as file:
                found += file.read()
        return found

    def logged(self, pattern, seconds=20):
        return until(lambda: re.search(pattern, self.log), lambda: f'no {pattern!r} in log:\n{self.log}', seconds)

    def end(self):
        self.process.end()
