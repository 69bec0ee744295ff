"""What the pages tell an administrator to write, for tests that write it."""
import os
import re

import guardd


def blocks(page, heading):
    """The fenced blocks below a heading, up to the next one of its kind: [(language, text), ...]."""
    with open(os.path.join(guardd.ROOT, page)) as file:
        text = file.read()
    section = text.split(f'\n## {heading}\n', 1)[1].split('\n## ', 1)[0]
    return re.findall(r'```(\w*)\n(.*?)```', section, re.S)


def put(text, changes):
    """The text with each of `changes` made; none may be missing from it."""
    for old, new in changes.items():
        assert old in text, f'{old!r} is not there: {text}'
        text = text.replace(old, str(new))
    return text
