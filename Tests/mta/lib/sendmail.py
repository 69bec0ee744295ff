"""A real Sendmail of the test's own, out of Debian's packages, unpacked beside everything: its queue, its configuration and
its ports are under a scratch folder. Installing the package would remove Postfix.

The configuration is written here rather than made with m4: every address goes to one sink.
"""
import glob
import os
import re
import shutil
import socket
import subprocess
import threading

import processes

PACKAGES = ('sendmail-bin', 'libwrap0')

CONFIGURATION = '''V10/Berkeley
Cwlocalhost
Djmx.s.example
DnMAILER-DAEMON
Dq<$g>
O QueueDirectory={dir}/queue
O DaemonPortOptions=Name=MTA, Addr=127.0.0.1, Port={mta}
O DaemonPortOptions=Name=MSA, Addr=127.0.0.1, Port={msa}
O PidFile={dir}/pid
O LogLevel=9
O DeliveryMode=background
O DontBlameSendmail=GroupWritableDirPathSafe
O ServiceSwitchFile={dir}/switch
O HelpFile=/dev/null
O QueueLA=1000
O RefuseLA=1000
O Timeout.ident=0
O UnixFromLine=From $g $d
O SmtpGreetingMessage=$j ESMTP
O OperatorChars=.:%@!^/[]+
O InputMailFilters=guardd
Xguardd, S=inet:{milter}@127.0.0.1, F=T, T=S:30s;R:30s;E:5m
Troot
Pfirst-class=0
HReceived: from $s by $j with $r id $i for $u; $b
H?D?Date: $a
H?F?From: $q
H?M?Message-Id: <$t.$i@$j>
Scanonify=3
R$*\t\t$: $1 <@>
R$* < $* > $* <@>\t$: $2
R$* <@>\t\t$: $1
Sparse=0
R$*\t\t$#esmtp $@ [127.0.0.1] $: $1
Sfinal=4
R$*\t\t$: $1
Sproto=5
R$*\t\t$: $1
Mlocal, P=/bin/false, F=lsDFMAw5:/|@qPn9, S=0, R=0, A=false
Mprog, P=/bin/sh, F=lsDFMoqeu9, S=0, R=0, A=sh -c $u
Mesmtp, P=[IPC], F=mDFMuXa, S=0, R=0, E=\\r\\n, L=990, T=DNS/RFC822/SMTP, A=TCP $h {sink}
'''

# Without a milter, with a local domain whose aliases it expands.
ALIASING = (
    ('O InputMailFilters=guardd\n', ''), ('Xguardd, S=inet:{milter}@127.0.0.1, F=T, T=S:30s;R:30s;E:5m\n', ''),
    ('DontBlameSendmail=', 'DontBlameSendmail=MapInUnsafeDirPath,'), ('O HelpFile=/dev/null\n', 'O HelpFile=/dev/null\nO AliasFile=btree:{dir}/aliases\n'),
    ('Cwlocalhost', 'Cwlocalhost s.example mx.s.example'),
    ('Sparse=0\n', 'Sparse=0\nR$* < $* @ $=w > $*\t$#local $: $2\nR$* @ $=w\t$#local $: $1\nR$-\t$#local $: $1\n'),
)

# In a mount namespace: a /dev of which only log is another, then the host's name, then the program.
ENTER = '''set -e
for name in null zero urandom random; do mount --bind /dev/$name {dir}/dev/$name; done
mount --rbind {dir}/dev /dev
hostname mx.s.example
exec "$@"
'''

_unpacked = {}


def unpacked():
    """(folder, why not): the packages, unpacked once."""
    if not _unpacked:
        folder = processes.folder()
        _unpacked['it'] = (folder, _unpack(folder))
    return _unpacked['it']


def _unpack(folder):
    if os.geteuid() != 0:
        return 'Sendmail can be started by root only'
    if not shutil.which('apt-get') or not shutil.which('unshare'):
        return 'no apt-get or no unshare'
    made = subprocess.run(['apt-get', '-qq', 'download', *PACKAGES], cwd=folder, capture_output=True, text=True, timeout=120)
    if made.returncode:
        return 'the packages can not be had: ' + made.stderr.strip()[-200:]
    for package in glob.glob(os.path.join(folder, '*.deb')):
        subprocess.run(['dpkg', '-x', package, folder], check=True, timeout=60)
    # Without the setgid bit, which would make the loader ignore LD_LIBRARY_PATH.
    program = os.path.join(folder, 'sendmail')
    shutil.copyfile(os.path.join(folder, 'usr/libexec/sendmail/sendmail'), program)
    os.chmod(program, 0o755)
    needs = subprocess.run(['ldd', program], capture_output=True, text=True, timeout=60, env=_environment(folder)).stdout
    missing = [line.split()[0] for line in needs.splitlines() if 'not found' in line]
    if missing or 'libc' not in needs:
        return 'libraries are missing: ' + ', '.join(missing)
    # It wants a host name with a dot, and gets one in a namespace of its own.
    named = subprocess.run(['unshare', '-u', 'hostname', 'mx.s.example'], capture_output=True, text=True, timeout=20)
    return named.stderr.strip() if named.returncode else None


def _environment(folder):
    libraries = {os.path.dirname(path) for path in glob.glob(os.path.join(folder, '**', 'libwrap.so.0'), recursive=True)}
    return {**os.environ, 'LD_LIBRARY_PATH': ':'.join(sorted(libraries))}


class Sendmail:
    """Listens on `mta` (Name=MTA) and `msa` (Name=MSA), asks the milter at port `milter`, and delivers to port `sink`."""

    def __init__(self, milter, sink):
        folder, _ = unpacked()
        self.dir = processes.folder()
        self.mta, self.msa = processes.free_port(), processes.free_port()
        os.makedirs(os.path.join(self.dir, 'queue'), mode=0o700)
        with open(os.path.join(self.dir, 'switch'), 'w') as file:
            file.write('hosts files\naliases files\npasswd files\n')
        path = os.path.join(self.dir, 'sendmail.cf')
        with open(path, 'w') as file:
            file.write(CONFIGURATION.format(dir=self.dir, mta=self.mta, msa=self.msa, milter=milter, sink=sink))
        command = f'hostname mx.s.example && exec {folder}/sendmail -C {path} -bD'
        self.process = processes.Process(['unshare', '-u', 'sh', '-c', command], os.path.join(self.dir, 'out'), _environment(folder))
        processes.until(lambda: processes.listens(self.mta) and processes.listens(self.msa), lambda: 'Sendmail does not listen: ' + self.process.text(), 60)

    def end(self):
        self.process.end()


class LoggingSendmail:
    """Listens on `mta`, expands aliases of s.example, delivers all else to port `sink`, and logs to a file as a syslog daemon would."""

    def __init__(self, sink, aliases):
        folder, _ = unpacked()
        self.dir = processes.folder()
        self.mta = processes.free_port()
        self.log_path = os.path.join(self.dir, 'mail.log')
        os.makedirs(os.path.join(self.dir, 'queue'), mode=0o700)
        os.makedirs(os.path.join(self.dir, 'dev'))
        text = CONFIGURATION
        for old, new in ALIASING:
            assert old in text, old
            text = text.replace(old, new)
        files = {'switch': 'hosts files\naliases files\npasswd files\n', 'aliases': aliases, 'enter': ENTER.format(dir=self.dir), 'mail.log': '',
                 'sendmail.cf': text.format(dir=self.dir, mta=self.mta, msa=processes.free_port(), sink=sink), **{f'dev/{name}': '' for name in ('null', 'zero', 'urandom', 'random')}}
        for name, content in files.items():
            with open(os.path.join(self.dir, name), 'w') as file:
                file.write(content)
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.bind(os.path.join(self.dir, 'dev', 'log'))
        os.chmod(os.path.join(self.dir, 'dev', 'log'), 0o666)
        threading.Thread(target=self._write_log, daemon=True).start()
        command = ['unshare', '-um', 'sh', os.path.join(self.dir, 'enter'), f'{folder}/sendmail', '-C', os.path.join(self.dir, 'sendmail.cf')]
        made = subprocess.run([*command, '-bi'], capture_output=True, text=True, timeout=60, env=_environment(folder))
        assert made.returncode == 0, made.stderr
        self.process = processes.Process([*command, '-bD'], os.path.join(self.dir, 'out'), _environment(folder))
        processes.until(lambda: processes.listens(self.mta), lambda: 'Sendmail does not listen: ' + self.process.text(), 60)

    def _write_log(self):
        """`<22>Nov 22 11:46:08 sendmail[1]: text`, as syslog(3) sends it, with a host's name as a file has it."""
        with open(self.log_path, 'a', encoding='latin-1', buffering=1) as file:
            while True:
                line = self.syslog.recv(65536).decode('latin-1').rstrip('\0\n')
                stamp, text = line[line.index('>') + 1:][:15], line[line.index('>') + 1:][16:]
                file.write(f'{stamp} mx {text}\n')

    @property
    def log(self):
        with open(self.log_path, encoding='latin-1') as file:
            return file.read()

    def logged(self, pattern, seconds=60):
        return processes.until(lambda: re.search(pattern, self.log), lambda: f'no {pattern!r} in log:\n{self.log}', seconds)

    def end(self):
        self.process.end()
