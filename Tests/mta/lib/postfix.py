"""Postfix instances of the test's own: configuration, queue and data under a scratch folder, ports on loopback.

Nothing of the system's Postfix is touched: it need not run, its /etc/postfix only lends the lists of its files.
"""
import os
import pwd
import re
import shutil
import subprocess

import processes
from processes import until

HOSTS = ['127.0.0.1', '[::1]'] if processes.HAS_IPV6 else ['127.0.0.1']

MAIN = '''compatibility_level = 3.6
config_directory = {dir}/etc
queue_directory = {dir}/queue
data_directory = {dir}/data
mail_owner = postfix
setgid_group = postdrop
inet_protocols = {protocols}
inet_interfaces = {interfaces}
myhostname = {host}
mydomain = {domain}
mydestination =
mynetworks = 127.0.0.1/32
alias_maps =
alias_database =
virtual_alias_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = inline:{{ {{ box@{domain} = box/ }}, {{ ann@{domain} = ann/ }} }}
virtual_mailbox_base = {dir}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_peername_lookup = no
smtpd_client_port_logging = yes
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_tls_security_level = none
smtpd_delay_reject = yes
in_flow_delay = 0
disable_dns_lookups = yes
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
max_idle = 100s
'''

SERVICES = '''pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
'''


def missing():
    """Why Postfix can't be run here, or None."""
    if not shutil.which('postfix') and not os.path.exists('/usr/sbin/postfix'):
        return 'postfix is not installed (make deps)'
    if os.geteuid() != 0:
        return 'Postfix can be started by root only'
    return None


class Postfix:
    """One instance, with an smtpd for each entry of `doors`: {name: options}, each on a port of its own.

    `main`: more lines for main.cf, which win. `port`: of the first door, if it has to be known before. Doors whose name
    begins with 'unix' listen on a Unix socket. `services`: changes the text of master.cf below the doors.
    """

    def __init__(self, domain='a.example', doors=None, main='', port=None, services=None):
        self.dir = processes.folder()
        self.domain = domain
        self.doors = {name: processes.free_port() for name in doors or {'plain': ''} if not name.startswith('unix')}
        if port:
            self.doors[next(iter(self.doors))] = port
        for name in ('etc', 'queue', 'data', 'mail'):
            os.makedirs(os.path.join(self.dir, name))
        owner, nobody = pwd.getpwnam('postfix'), pwd.getpwnam('nobody')
        os.chown(os.path.join(self.dir, 'data'), owner.pw_uid, owner.pw_gid)
        os.chown(os.path.join(self.dir, 'mail'), nobody.pw_uid, nobody.pw_gid)
        text = MAIN.format(dir=self.dir, host='mx.' + domain, domain=domain, uid=nobody.pw_uid, gid=nobody.pw_gid,
                           protocols='all' if processes.HAS_IPV6 else 'ipv4', interfaces=', '.join(HOSTS))
        self._write('main.cf', override(text, main))
        lines = []
        for name, options in (doors or {'plain': ''}).items():
            options = ''.join(f'\n  -o {option}' for option in options.split())
            if name.startswith('unix'):
                lines.append(f'{name} unix n - n - - smtpd{options}')
            else:
                lines += [f'{address}:{self.doors[name]} inet n - n - - smtpd{options}' for address in HOSTS]
        self._write('master.cf', '\n'.join(lines) + '\n' + (services(SERVICES) if services else SERVICES))
        self.process = None
        self.start()

    def _write(self, name, text):
        with open(os.path.join(self.dir, 'etc', name), 'w') as file:
            file.write(text)

    @property
    def port(self):
        return next(iter(self.doors.values()))

    def socket(self, name):
        """The path of a Unix socket door."""
        return os.path.join(self.dir, 'queue', 'public', name)

    def start(self):
        etc = os.path.join(self.dir, 'etc')
        made = subprocess.run(['postfix', '-c', etc, 'check'], capture_output=True, text=True, timeout=60)
        daemons = subprocess.run(['postconf', '-c', etc, '-h', 'daemon_directory'], capture_output=True, text=True, timeout=60).stdout.strip()
        self.process = processes.Process([os.path.join(daemons, 'master'), '-c', etc, '-d'], os.path.join(self.dir, 'master.out'))
        until(lambda: not self.doors or processes.listens(self.port),
              lambda: f'Postfix does not listen: {made.stderr} {self.process.text()} {self.log}')
        return self

    def end(self):
        if self.process:
            self.process.end()
            self.process = None

    @property
    def log(self):
        try:
            with open(os.path.join(self.dir, 'log'), encoding='utf-8', errors='replace') as file:
                return file.read()
        except FileNotFoundError:
            return ''

    def logged(self, pattern, seconds=20, after=0):
        """Waits for a log line that matches, behind the first `after` characters."""
        return until(lambda: re.search(pattern, self.log[after:]), lambda: f'no {pattern!r} in log:\n{self.log[after:]}', seconds)

    def delivered(self, box='box'):
        """The messages in a mailbox, as octets, each as Postfix wrote it."""
        found = []
        path = os.path.join(self.dir, 'mail', box, 'new')
        for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
            with open(os.path.join(path, name), 'rb') as file:
                found.append(file.read())
        return found

    def holding(self, text):
        """The message that holds `text`, once it is in a mailbox."""
        octets = text.encode()
        boxes = lambda: os.listdir(os.path.join(self.dir, 'mail'))
        return until(lambda: next((mail for box in boxes() for mail in self.delivered(box) if octets in mail), None),
                     lambda: f'no mail with {text!r} was delivered:\n{self.log}')

    def traces(self, text):
        """Where `text` stands: in files of the queue or mailboxes, or 'log'."""
        octets, found = text.encode(), ['log'] if text in self.log else []
        for top in ('queue', 'mail'):
            for place, _, names in os.walk(os.path.join(self.dir, top)):
                for name in names:
                    path = os.path.join(place, name)
                    try:
                        if os.path.isfile(path):
                            with open(path, 'rb') as file:
                                found += [path] if octets in file.read() else []
                    except FileNotFoundError:           # moved on to the next queue meanwhile
                        found += []
        return found

    def queued(self):
        """Files of messages in the queue."""
        queues = ('maildrop', 'incoming', 'active', 'deferred', 'hold', 'corrupt')
        return [os.path.join(place, name) for queue in queues
                for place, _, names in os.walk(os.path.join(self.dir, 'queue', queue)) for name in names]


def override(text, more):
    """main.cf with the lines of `more` in place of those for the same parameters."""
    names = {line.split('=')[0].strip() for line in more.splitlines() if '=' in line and not line.startswith(' ')}
    kept = [line for line in text.splitlines() if line.split('=')[0].strip() not in names]
    return '\n'.join(kept + [line for line in more.splitlines() if line.strip()]) + '\n'
