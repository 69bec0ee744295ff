"""A peer that follows a script: for what no real server does on demand."""
import socket
import threading

from lines import Lines


class Stream(Lines):
    """One accepted connection."""

    def send(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def line(self):
        """The next line without its end; None when the other side has closed."""
        line = self.octets()
        return None if line is None else line.rstrip(b'\r').decode('utf-8', 'replace')


class Peer:
    """Listens on loopback, or on a Unix socket at `path`, and plays `script(stream)` for each connection, a thread each;
    closes it afterwards. Ends with the test."""

    def __init__(self, script, path=None):
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
        else:
            self.listener = socket.socket()
            self.listener.bind(('127.0.0.1', 0))
            self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        self.script = script
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                self.script(Stream(connection))
            except OSError:                 # the other side went away: the case itself judges that
                return
