"""A TCP relay between a program under test and a server, which can be frozen, and made slow in one direction."""
import select
import socket
import threading
import time


class Between:
    """Listens on `port` and passes on to 127.0.0.1:`server`. What it has passed on it keeps no trace of.

    `delay`: seconds by which whatever the server says comes later, as a slow server would say it.
    """

    def __init__(self, server, delay=0.0):
        self.server = server
        self.delay = delay
        self.moves = threading.Event()
        self.moves.set()
        self.ended = False
        self.sockets = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def freeze(self):
        """From now on nothing gets through, in neither direction; connections stay, and new ones are made."""
        self.moves.clear()

    def thaw(self):
        self.moves.set()

    def end(self):
        self.ended = True
        self.moves.set()
        for one in [self.listener] + self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def accept(self):
        while not self.ended:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(('127.0.0.1', self.server))
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets += [client, server]
            threading.Thread(target=self.carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, True), daemon=True).start()

    def carry(self, source, target, is_slow):
        """Octets in their order, each `delay` after it came."""
        held = []
        try:
            while True:
                wait = max(0, held[0][0] - time.monotonic()) if held else None
                if select.select([source], [], [], wait)[0]:
                    octets = source.recv(65536)
                    if not octets:
                        break
                    held.append((time.monotonic() + (self.delay if is_slow else 0), octets))
                while held and held[0][0] <= time.monotonic():
                    self.moves.wait()
                    target.sendall(held.pop(0)[1])
        except (OSError, ValueError):
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
