"""Bounces as other servers make them, and as forgers would."""
import base64
import re

REPORT = b"""From: Mail Delivery System <MAILER-DAEMON@remote.example>
To: <%(to)s>
Subject: Undelivered Mail Returned to Sender
Message-ID: <own.%(own)d@remote.example>
%(fields)sMIME-Version: 1.0
%(type)s: multipart/report; report-type=delivery-status;
\tboundary=%(declared)s

%(preamble)s--%(boundary)s
Content-Type: text/plain; charset=us-ascii

%(text)s
--%(boundary)s
Content-Type: message/delivery-status

Reporting-MTA: dns; remote.example

Final-Recipient: rfc822; %(failed)s
Action: failed
Status: 5.1.1

--%(boundary)s
%(part)s
%(encoding)s
%(original)s
%(end)s%(epilogue)s"""

ORIGINAL = b"""Received: from mx.guardd.example by remote.example; Mon, 2 Nov 2026 00:00:00 +0000
From: <%(to)s>
To: <%(failed)s>
Subject: the original
%(id_field)sDate: Mon, 2 Nov 2026 00:00:00 +0000
"""
counter = [0]


def crlf(text):
    return re.sub(rb"\r?\n", b"\r\n", text)


def report(id, to=b"user@protected.example", failed=b"gone@remote.example", boundary=b"bound.ary", declared=None, fields=b"", type=b"Content-Type",
           part=b"Content-Type: message/rfc822", encoding=b"", encode=None, id_field=None, text=b"It could not be delivered.\n", preamble=b"",
           epilogue=b"", end=None, body=b"the original text\n", original=None):
    """A report by RFC 3464 that returns a mail with the Message-ID `id`."""
    counter[0] += 1
    id_field = crlf(b"Message-ID: <" + id + b">\n" if id_field is None else id_field)
    if original is None:
        original = crlf(ORIGINAL) % {b"to": to, b"failed": failed, b"id_field": id_field}
        if b"headers" not in part:
            original += b"\r\n" + crlf(body)
    if encode:
        original = encode(original)
    return crlf(REPORT) % {
        b"to": to, b"own": counter[0], b"failed": failed, b"boundary": boundary, b"declared": declared or b'"' + boundary + b'"', b"fields": crlf(fields),
        b"type": type, b"part": part, b"encoding": encoding and b"Content-Transfer-Encoding: " + encoding + b"\r\n", b"original": original,
        b"text": crlf(text), b"preamble": crlf(preamble), b"epilogue": crlf(epilogue), b"end": b"--" + boundary + b"--\r\n" if end is None else end,
    }


def qmail(id, to=b"user@protected.example"):
    return crlf(b"""Date: 2 Nov 2026 00:00:00 -0000
From: MAILER-DAEMON@remote.example
To: %s
Subject: failure notice

Hi. This is the qmail-send program at remote.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<gone@remote.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <%s>
Received: (qmail 12345 invoked from network); 2 Nov 2026 00:00:00 -0000
From: <%s>
To: <gone@remote.example>
Message-ID: <%s>
Subject: the original

text
""" % (to, to, to, id))


def exim(id, to=b"user@protected.example"):
    return crlf(b"""From: Mail Delivery System <Mailer-Daemon@remote.example>
To: %s
Auto-Submitted: auto-replied
X-Failed-Recipients: gone@remote.example
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1abcde-000001-AB@remote.example>

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  gone@remote.example
    Unrouteable address

------ This is a copy of the message, including all the headers. ------

Return-path: <%s>
From: <%s>
To: gone@remote.example
Message-ID: <%s>
Subject: the original

text
""" % (to, to, to, id))


def base64_lines(text, width=76):
    code = base64.b64encode(text)
    return b"\r\n".join(code[start:start + width] for start in range(0, len(code), width)) + b"\r\n"


def quoted_printable(text, everything=False):
    out = bytearray()
    for line in text.split(b"\r\n"):
        width = 0
        for octet in line:
            code = b"=%02X" % octet if everything or octet == 61 or octet > 126 or octet < 32 else bytes([octet])
            if width + len(code) > 72:
                out += b"=\r\n"
                width = 0
            out += code
            width += len(code)
        out += b"\r\n"
    return bytes(out)


def nested(inner_types, deepest):
    """`deepest` (headers and all) inside so many multiparts, without recursion."""
    head, tail = bytearray(), bytearray()
    for level, kind in enumerate(inner_types):
        boundary = b"n%d" % level
        head += b"Content-Type: " + kind + b"; boundary=" + boundary + b"\r\n\r\n--" + boundary + b"\r\n"
        tail[:0] = b"\r\n--" + boundary + b"--\r\n"
    return bytes(head) + deepest + bytes(tail)
