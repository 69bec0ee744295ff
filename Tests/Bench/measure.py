"""What the benches share: where programs are, what a process has used, how figures are printed."""
import glob
import os
import re
import shutil
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'mta', 'lib'))
sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(HERE))
GUARDD = os.environ.get('GUARDD') or os.path.join(ROOT, '.build', 'release', 'guardd')


def tool(name):
    """Where a program is; administrators' programs are often not in the PATH."""
    return shutil.which(name) or shutil.which(name, path='/usr/sbin:/usr/local/sbin:/sbin')


def cpu(pid):
    """Seconds of CPU time of all threads of a process."""
    total = 0
    for path in glob.glob(f'/proc/{pid}/task/*/schedstat'):
        with open(path) as file:
            total += int(file.read().split()[0])
    return total / 1e9


def memory(pid):
    """Octets of a process alone (PSS)."""
    with open(f'/proc/{pid}/smaps_rollup') as file:
        return int(re.search(r'^Pss:\s+(\d+)', file.read(), re.M)[1]) * 1024


def text(values, form='{:.0f}'):
    """min/median/max"""
    return '/'.join(form.format(value) for value in (min(values), statistics.median(values), max(values)))
