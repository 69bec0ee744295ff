"""A real Sendmail of the test's own, out of Debian's packages, unpacked beside everything: its queue, its configuration and
its ports are under a scratch folder. Installing the package would remove Postfix.

The configuration is written here rather than made with m4: every address goes to one sink.
"""
import glob
import os
import shutil
import subprocess

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
