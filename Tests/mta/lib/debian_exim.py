"""Exim as Debian installs it, update-exim4.conf and all, in a throw-away copy of this machine's files: an overlay in a mount
namespace, into which the packages are unpacked. Nothing is installed, and this machine has none of it.
"""
import glob
import os
import shutil
import subprocess
import tempfile

import exim
import guardd
import processes

UID = 60_990
# What the installer asks for and writes.
ANSWERS = '''dc_eximconfig_configtype='internet'
dc_other_hostnames='a.example'
dc_local_interfaces='{interfaces}'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost=''
CFILEMODE='644'
dc_use_split_config='{split}'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
'''

# Arguments: a folder for it, the packages' archives, guardd. Links to folders stay (/lib), unlike with dpkg -x.
STAGE = '''set -e
stage=$1 archives=$2 guardd=$3 scratch=$4
mount -t tmpfs tmpfs "$stage"
mkdir "$stage/upper" "$stage/work" "$stage/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$stage/upper,workdir=$stage/work" "$stage/root"
mount --rbind /dev "$stage/root/dev"
mount --rbind /proc "$stage/root/proc"
rm -rf "$stage/root/etc/exim4" "$stage/root/etc/default/exim4"
for archive in "$archives"/*.deb; do dpkg --fsys-tarfile "$archive" | tar -x -C "$stage/root" --keep-directory-symlink; done
chroot "$stage/root" ldconfig 2>/dev/null
printf 'Debian-exim:x:{uid}:{uid}::/var/spool/exim4:/usr/sbin/nologin\\n' >> "$stage/root/etc/passwd"
printf 'Debian-exim:x:{uid}:\\n' >> "$stage/root/etc/group"
echo a.example > "$stage/root/etc/mailname"
mkdir -p "$stage/root/var/log/exim4" "$stage/root/var/spool/exim4" "$stage/root/var/lib/exim4"
chown {uid}:{uid} "$stage/root/var/log/exim4" "$stage/root/var/spool/exim4"
touch "$stage/root/usr/local/bin/guardd"
mount --bind "$guardd" "$stage/root/usr/local/bin/guardd"
mkdir -p "$stage/root$scratch"
mount --bind "$scratch" "$stage/root$scratch"
echo ready
exec sleep infinity
'''.replace('{uid}', str(UID))

_archives = {}


def missing():
    """Why it can't be had here, or None."""
    if os.geteuid() != 0:
        return 'needs root, for a mount namespace'
    for program in ('unshare', 'nsenter', 'apt-get', 'dpkg'):
        if not shutil.which(program):
            return f'no {program}'
    folder = processes.folder()
    probe = subprocess.run(['unshare', '--mount', '/bin/sh', '-ec', '''
        mount -t tmpfs tmpfs "$1"; mkdir "$1/u" "$1/w" "$1/m"
        mount -t overlay overlay -o "lowerdir=/,upperdir=$1/u,workdir=$1/w" "$1/m"''', 'sh', folder], capture_output=True, text=True)
    if probe.returncode != 0:
        return 'no overlay file system in a namespace here: ' + probe.stderr.strip()[-100:]
    return archives('heavy')[1]


def archives(daemon):
    """(folder of the packages, why not or None)."""
    if daemon not in _archives:
        folder = processes.folder()
        for package in ['exim4-config', 'exim4-base'] + exim.DAEMONS[daemon] + exim.PACKAGES:
            subprocess.run(['apt-get', 'download', package], cwd=folder, capture_output=True, timeout=300)
        lacking = [name for name in ('exim4-config', 'exim4-base', exim.DAEMONS[daemon][0]) if not glob.glob(os.path.join(folder, name + '_*.deb'))]
        _archives[daemon] = folder, f"{' '.join(lacking)} can't be fetched with apt-get download" if lacking else None
    return _archives[daemon]


class DebianExim:
    """One installation. Paths are those that programs in it see."""

    def __init__(self, split=False, interfaces='', daemon='heavy'):
        stage, self.output = processes.folder(), os.path.join(processes.folder(), 'out')
        script = os.path.join(processes.folder(), 'stage')
        with open(script, 'w') as file:
            file.write(STAGE)
        self.process = processes.Process(['unshare', '--mount', '--propagation', 'private', 'sh', script, stage, archives(daemon)[0], guardd.BINARY, tempfile.gettempdir()], self.output)
        processes.until(lambda: 'ready' in self.process.text() or self.process.status is not None, self.process.text, 60)
        assert self.process.status is None, self.process.text()
        # Its /proc entry shows what lies in its namespace.
        self.root = f'/proc/{self.process.pid}/root{stage}/root'
        self.inside = ['nsenter', '--target', str(self.process.pid), '--mount', 'chroot', f'{stage}/root']
        self.write('/etc/exim4/update-exim4.conf.conf', ANSWERS.format(split=str(split).lower(), interfaces=interfaces))

    def run(self, *command, user=0):
        """(status, standard output, standard error)."""
        enter = self.inside[:-1] + ([f'--userspec={user}:{user}', '--groups='] if user else []) + self.inside[-1:]
        done = subprocess.run([*enter, *command], capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def write(self, path, text, mode='w'):
        with open(self.root + path, mode) as file:
            file.write(text)

    def files(self):
        """Content, mode and owner of all that lies in /etc/exim4, with its folders."""
        found = {}
        for top, folders, names in os.walk(self.root + '/etc/exim4'):
            found.update({os.path.join(top, name): None for name in folders})
            for name in names:
                facts = os.stat(os.path.join(top, name))
                with open(os.path.join(top, name), 'rb') as file:
                    found[os.path.join(top, name)] = file.read(), facts.st_mode, facts.st_uid
        return found

    def made(self):
        """What update-exim4.conf makes, as Exim prints it: {option: value}. It has to be content with it."""
        status, _, complaint = self.run('update-exim4.conf')
        assert status == 0, complaint
        status, _, complaint = self.run('exim4', '-bV', '-C', '/var/lib/exim4/config.autogenerated')
        assert status == 0, complaint
        _, said, _ = self.run('exim4', '-bP', 'log_selector', 'local_interfaces', 'hosts_proxy', 'daemon_smtp_ports')
        return dict((part.strip() for part in line.split(' =', 1)) for line in said.splitlines() if ' =' in line)

    def end(self):
        self.process.end()
