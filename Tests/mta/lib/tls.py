"""Certificates made with the openssl command, and an SMTP client that can go on in TLS."""
import os
import ssl
import subprocess

import processes
import smtp

CA = '''[ca]
default_ca = own
[own]
dir = {dir}
database = {dir}/index
serial = {dir}/serial
new_certs_dir = {dir}
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
'''


def openssl(*arguments, **options):
    result = subprocess.run(['openssl', *arguments], capture_output=True, text=True, timeout=60, **options)
    assert result.returncode == 0, f'openssl {arguments}: {result.stderr}'
    return result.stdout


class Authority:
    """A certification authority of the test's own. `authority` is its certificate."""

    def __init__(self):
        self.dir = processes.folder()
        self.authority = self.path('ca.pem')
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', self.path('ca.key'), '-out', self.authority,
                '-days', '30', '-subj', '/CN=test authority')
        for name, text in (('ca.cnf', CA.format(dir=self.dir)), ('index', ''), ('serial', '1000\n')):
            with open(self.path(name), 'w') as file:
                file.write(text)

    def path(self, name):
        return os.path.join(self.dir, name)

    def make(self, file, *names, kind='rsa', start='20260101000000Z', end='20361231000000Z', key=None):
        """A certificate for the names: (chain, key), two PEM files."""
        chain, key_file, request = self.path(file + '.pem'), key or self.path(file + '.key'), self.path(file + '.csr')
        algorithm = ['rsa:2048'] if kind == 'rsa' else ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
        made = ['-key', key_file] if key else ['-newkey', *algorithm, '-keyout', key_file]
        openssl('req', '-new', *made, '-nodes', '-out', request, '-subj', f'/CN={names[0]}',
                '-addext', 'subjectAltName=' + ','.join('DNS:' + name for name in names))
        openssl('ca', '-batch', '-notext', '-config', self.path('ca.cnf'), '-cert', self.authority, '-keyfile', self.path('ca.key'),
                '-in', request, '-out', chain + '.new', '-startdate', start, '-enddate', end)
        os.replace(chain + '.new', chain)
        return chain, key_file


def tables(*pairs):
    """[[certificate]] for pairs of files."""
    return ''.join(f'[[certificate]]\nchain = "{chain}"\nkey = "{key}"\n' for chain, key in pairs)


def context(authority=None, version=None):
    """A client's. Without `authority` it takes any certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority:
        made.load_verify_locations(authority)
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if version:
        made.minimum_version = made.maximum_version = version
    return made


class Client(smtp.Client):
    """`wrap` goes on in TLS; `hello` and the rest as before."""

    def wrap(self, made=None, name=None):
        # Without suppress_ragged_eofs=False a missing close_notify would look like an end.
        self.socket = (made or context()).wrap_socket(self.socket, server_hostname=name, suppress_ragged_eofs=False)
        self.buffer = b''
        return self

    def starttls(self, made=None, name=None):
        self.command('STARTTLS', '220')
        return self.wrap(made, name)

    def raw(self):
        """All that still comes, to the end of the connection, as it is on the wire."""
        octets = self.buffer
        try:
            while more := self.socket.recv(65536):
                octets += more
        except ConnectionError:
            pass
        return octets


def client_hello(name='mx.a.example'):
    """(object, octets): a client that has not heard of the server yet, and its first message."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    made = context().wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        made.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return made, outgoing.read()
