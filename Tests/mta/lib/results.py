"""Cases of a script test and their results, in the form of TAP: `ok - name`, `not ok - name`, `ok - name # SKIP why`.

A case is a function; its doc string is its name. It fails by any exception. Whatever it started is ended when the script
ends, however it ends: see processes.py.
"""
import sys
import traceback


class Skip(Exception):
    """Says why a case can't be run here."""


_cases = []


def case(function):
    """Decorator: registers a case; cases run in the order of the file."""
    _cases.append((function.__doc__.strip(), function))
    return function


def cases(name, arguments):
    """Decorator: one case for each tuple of arguments; `name` is formatted with them."""
    def register(function):
        for these in arguments:
            _cases.append((name.format(*these), lambda these=these: function(*these)))
        return function
    return register


_made = {}


def made(name, function):
    """What `function` makes, made once for the whole script: when a case first wants it."""
    if name not in _made:
        _made[name] = function()
    return _made[name]


def check(condition, *shown):
    """Fails with what is shown unless the condition holds."""
    if not condition:
        raise AssertionError(' | '.join(str(item) for item in shown) or 'does not hold')


def equal(got, expected, *shown):
    check(got == expected, f'got {got!r}, expected {expected!r}', *shown)


def run(skip_all=None):
    """Runs all cases of the script and exits: 0 if none failed.

    `skip_all`: why none of them can run here. With arguments on the command line only cases whose names hold one of them run.
    """
    failed = 0
    wanted = sys.argv[1:]
    for name, function in _cases:
        if wanted and not any(word in name for word in wanted):
            continue
        try:
            if skip_all:
                raise Skip(skip_all)
            function()
            print(f'ok - {name}', flush=True)
        except Skip as reason:
            print(f'ok - {name} # SKIP {reason}', flush=True)
        except Exception as error:                      # a case fails by any exception; the others still run
            failed += 1
            print(f'not ok - {name}', flush=True)
            text = traceback.format_exc() if not isinstance(error, AssertionError) else place(error) + str(error)
            print('\n'.join('  # ' + line for line in text.splitlines()[-40:]), flush=True)
    sys.exit(1 if failed else 0)


def place(error):
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.endswith('results.py')]
    return f'line {frames[-1].lineno}: ' if frames else ''
