"""What the kernel knows of TCP connections over loopback (IPv4): whether the program at the other end has read what was sent,
and whether it has closed. So a test waits for the peer to have heard one piece before it sends the next, and needs no pause.

`Connection` keeps the addresses, so that it can be asked about a socket that is closed here.
"""
import socket
import struct
from collections import namedtuple

# proc(5), /proc/net/tcp: octets that are not acknowledged, octets that the program has not read, the state.
_Row = namedtuple('_Row', 'unsent unread state')
_OPEN = (0x01, 0x08)            # ESTABLISHED; CLOSE_WAIT: it was told that the other side has closed, and has not closed itself


def _name(address):
    return '%08X:%04X' % (struct.unpack('=I', socket.inet_aton(address[0]))[0], address[1])


def _rows():
    with open('/proc/net/tcp') as file:
        for words in map(str.split, file.readlines()[1:]):
            unsent, unread = words[4].split(':')
            yield (words[1], words[2]), _Row(int(unsent, 16), int(unread, 16), int(words[3], 16))


def is_queue_full(listening):
    """Whether connections wait at this listening socket, so that one with listen(2)'s backlog 0 takes no more."""
    name = _name(listening.getsockname())
    return any(row.unread > 0 for (own, _), row in _rows() if own == name)


class Connection:
    def __init__(self, connected):
        self.own, self.other = _name(connected.getsockname()), _name(connected.getpeername())

    def _ends(self):
        rows = dict(_rows())
        return rows.get((self.own, self.other)), rows.get((self.other, self.own))

    def is_read(self):
        """The other program has read all that was sent, or has closed."""
        own, other = self._ends()
        return not (own and own.unsent) and not (other and other.unread)

    def is_closed(self):
        """The other program has closed its end."""
        other = self._ends()[1]
        return not other or other.state not in _OPEN
