"""Lines from a socket."""


class Lines:
    """What `socket` brings, line by line."""

    def __init__(self, socket):
        self.socket = socket
        self.buffer = b''

    def octets(self):
        """The next line without its LF; None when the other side has closed, and `buffer` has what came behind the last line."""
        while b'\n' not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.buffer += more
        line, self.buffer = self.buffer.split(b'\n', 1)
        return line
