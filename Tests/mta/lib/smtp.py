"""An SMTP client that says exactly what it is told: octets in, replies out."""
import socket

from lines import Lines


class Client(Lines):
    """One connection. Replies are (code, text) with the lines of the text joined by LF."""

    def __init__(self, port, source=None, host=None, greeting='220', seconds=30):
        host = host or ('::1' if source and ':' in source else '127.0.0.1')
        super().__init__(socket.create_connection((host, port), timeout=seconds, source_address=(source, 0) if source else None))
        self.port = self.socket.getsockname()[1]
        if greeting:
            self.greeting = self.expect(greeting)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets if isinstance(octets, bytes) else octets.encode())

    def line(self):
        line = self.octets()
        if line is None:
            raise EOFError(f'connection closed, left: {self.buffer!r}')
        return line.rstrip(b'\r').decode('utf-8', 'replace')

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == '-':
            lines.append(self.line())
        return int(lines[0][:3]), '\n'.join(line[4:] for line in lines)

    def expect(self, code):
        """The next reply; AssertionError unless it begins with `code` ('250', '5', ...)."""
        reply = self.reply()
        assert str(reply[0]).startswith(code), f'expected {code}, got {reply[0]} {reply[1]}'
        return reply

    def command(self, line, code=None):
        self.send(line.encode() + b'\r\n' if isinstance(line, str) else line + b'\r\n')
        return self.expect(code) if code else self.reply()

    def hello(self, name='client.example'):
        """EHLO; the keywords, each with its parameters, upper case."""
        return [line.upper() for line in self.command('EHLO ' + name, '250')[1].split('\n')[1:]]

    def mail(self, sender, recipient, content, code=None):
        """A whole transaction up to the reply to its content, which is dot-stuffed here."""
        self.command(f'MAIL FROM:<{sender}>', '250')
        for one in [recipient] if isinstance(recipient, str) else recipient:
            self.command(f'RCPT TO:<{one}>', '250')
        return self.data(content, code)

    def data(self, content, code=None):
        self.command('DATA', '354')
        self.send(stuffed(content) + b'.\r\n')
        return self.expect(code) if code else self.reply()

    def is_closed(self):
        """Reads on to the end of the connection; whether it came."""
        try:
            while True:
                more = self.socket.recv(65536)
                if not more:
                    return True
                self.buffer += more
        except ConnectionError:
            return True
        except socket.timeout:
            return False


def stuffed(content):
    """The transparency of RFC 5321 4.5.2: behind CRLF only, so that odd line ends stay as a case wants them."""
    content = content if isinstance(content, bytes) else content.encode()
    return (b'.' if content.startswith(b'.') else b'') + content.replace(b'\r\n.', b'\r\n..')


def message(identifier, sender='ann@a.example', recipient='bob@b.example', body='Hello\r\n'):
    """An ordinary mail; `identifier` None leaves the Message-ID away."""
    fields = [f'From: <{sender}>', f'To: <{recipient}>', 'Date: Sun, 22 Nov 2026 03:00:00 +0000', 'Subject: a test']
    if identifier:
        fields.append(f'Message-ID: <{identifier}>')
    return '\r\n'.join(fields) + '\r\n\r\n' + body


def bounce(identifier, recipient='nobody@b.example'):
    """What mx.b.example says of a mail with that Message-ID to `recipient`: RFC 3464."""
    return f'''From: MAILER-DAEMON@mx.b.example\r
To: ann@a.example\r
Subject: failure notice\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r
\r
--x\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.b.example\r
\r
Final-Recipient: rfc822; {recipient}\r
Action: failed\r
Status: 5.1.1\r
\r
--x\r
Content-Type: message/rfc822\r
\r
From: ann@a.example\r
Message-ID: <{identifier}>\r
Subject: a test\r
\r
Hello\r
--x--\r
'''


def begin(client, identifier):
    """A transaction up to the middle of its content; returns what is left of that."""
    client.hello()
    client.command('MAIL FROM:<stranger@elsewhere.example>', '250')
    client.command('RCPT TO:<box@a.example>', '250')
    client.command('DATA', '354')
    content = stuffed(message(identifier, body='some lines\r\n' * 1000))
    client.send(content[:5000])
    return content[5000:] + b'.\r\n'
