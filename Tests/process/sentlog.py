#!/usr/bin/env python3
"""The sent log under several processes, kill -9 and a full disk, through the real commands.

usage: Tests/process/sentlog.py [GUARDD]        (default .build/debug/guardd)

1. Two recorders write at once and are killed at random moments, again and again. Whatever one of them had
   acknowledged is found afterwards, and the log opens without complaint.
2. Lookups, stats, cover and prune work while a recorder has the log open.
3. A damaged file that another process has open is not moved; it is moved aside when nobody has.
4. On a full disk recording fails with exit 75, nothing acknowledged is lost, and it goes on when there is room
   (needs root and tmpfs; else skipped, with the reason).
"""
import os, random, subprocess, sys, tempfile, threading

GUARDD = sys.argv[1] if len(sys.argv) > 1 else ".build/debug/guardd"
ROUNDS = 10


def guardd(*arguments, expect=0, **options):
    done = subprocess.run([GUARDD, *arguments], capture_output=True, text=True, timeout=120, **options)
    if expect is not None and done.returncode != expect:
        sys.exit(f"FAILED: guardd {' '.join(arguments)[:200]}: exit {done.returncode}, expected {expect}\n{done.stdout[-500:]}{done.stderr[-500:]}")
    return done


def recorder(state):
    return subprocess.Popen([GUARDD, "record", "--acknowledge", "--state-dir", state],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def say(process, *ids):
    """Writes lines and waits until all of them are acknowledged; none count when the process dies before."""
    process.told = getattr(process, "told", 0) + len(ids)
    try:
        process.stdin.write("".join(f"<{i}>\tann@example.org\tbob@x.example\n" for i in ids).encode())
        process.stdin.flush()
        while (line := process.stdout.readline()):
            if int(line) >= process.told:
                return ids
        return ()
    except (BrokenPipeError, ValueError):
        return ()


def check_known(state, ids):
    ids = sorted(ids)
    for start in range(0, len(ids), 2000):
        done = guardd("sent", "lookup", "--state-dir", state, *ids[start:start + 2000], expect=None)
        lost = [line for line in done.stdout.splitlines() if "not in the sent log" in line]
        if lost or done.returncode:
            sys.exit(f"FAILED: {len(lost)} acknowledged ids are lost, first: {lost[:1]} {done.stderr[-300:]}")


def killed_at_random(state):
    acknowledged = set()
    for turn in range(ROUNDS):
        before = set(acknowledged)
        pair = [recorder(state), recorder(state)]
        # The moment is random, because each place in what a recorder does is to be met.
        killer = threading.Timer(random.uniform(0.03, 0.3), pair[turn % 2].kill)
        killer.start()
        number = 0
        while pair[turn % 2].poll() is None:
            for side, process in enumerate(pair):
                acknowledged.update(say(process, *[f"{turn}.{side}.{number}.{n}@example.org" for n in range(3)]))
            number += 1
        killer.join()
        for process in pair:
            process.kill()
            process.wait()
        check_known(state, acknowledged - before)
    check_known(state, acknowledged)
    stats = guardd("sent", "stats", "--state-dir", state)
    if stats.stderr:
        sys.exit(f"FAILED: the log complains: {stats.stderr}")
    print(f"ok: {2 * ROUNDS} recorders killed, {len(acknowledged)} acknowledged ids, all found")


def beside_a_recorder(state):
    process = recorder(state)
    assert say(process, "open@example.org")
    guardd("sent", "lookup", "--state-dir", state, "open@example.org")
    guardd("sent", "lookup", "--state-dir", state, "none@example.org", expect=1)
    guardd("record", "--state-dir", state, "beside@example.org")
    if "covered: yes" not in guardd("sent", "cover", "--state-dir", state, "--since", "11d").stdout:
        sys.exit("FAILED: cover --since 11d does not cover")
    guardd("sent", "stats", "--state-dir", state)
    guardd("sent", "prune", "--state-dir", state)
    assert say(process, "later@example.org")
    check_known(state, {"open@example.org", "beside@example.org", "later@example.org"})
    print("ok: commands beside a recorder")
    return process


def damaged(state, process):
    path = os.path.join(state, "sent.mdb")
    with open(path, "r+b") as file:
        file.seek(16)
        kept = file.read(4)
        file.seek(16)
        file.write(b"\xff\xff\xff\xff")
    if "in use by another process" not in guardd("sent", "stats", "--state-dir", state, expect=78).stderr:
        sys.exit("FAILED: a damaged file in use is not told as such")
    with open(path, "r+b") as file:
        file.seek(16)
        file.write(kept)
    process.kill()
    process.wait()
    with open(path, "r+b") as file:
        file.truncate(12288)
    done = guardd("sent", "stats", "--state-dir", state)
    if "moved to" not in done.stderr or "complete: never" not in done.stdout:
        sys.exit(f"FAILED: a damaged file is not moved aside: {done.stderr}")
    guardd("record", "--state-dir", state, "anew@example.org")
    check_known(state, {"anew@example.org"})
    print("ok: a damaged file is moved aside, and only when nobody has it open")


def full_disk(state):
    room = os.path.join(state, "small")
    os.mkdir(room)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "none", room], capture_output=True).returncode:
        print("skipped: full disk (no root, or no tmpfs can be mounted)")
        return
    try:
        acknowledged, number = set(), 0
        process = recorder(room)
        while True:
            ids = [f"{number}.{n}@example.org" for n in range(100)]
            if not say(process, *ids):
                break
            acknowledged.update(ids)
            number += 1
        status, complaint = process.wait(), process.stderr.read().decode()
        if status != 75 or "no room left" not in complaint:
            sys.exit(f"FAILED: a full disk is not told by exit 75 and a line, but {status}: {complaint}")
        check_known(room, acknowledged)
        guardd("record", "--state-dir", room, *[f"full{n}@example.org" for n in range(500)], expect=75)
        check_known(room, acknowledged)
        subprocess.run(["mount", "-o", "remount,size=16m", room], check=True)
        guardd("record", "--state-dir", room, *[f"room{n}@example.org" for n in range(500)])
        check_known(room, acknowledged | {f"room{n}@example.org" for n in range(500)})
        print(f"ok: full disk refuses, {len(acknowledged)} acknowledged ids kept, goes on with room")
    finally:
        subprocess.run(["umount", room])


with tempfile.TemporaryDirectory(prefix="sentlog-") as directory:
    killed_at_random(os.path.join(directory, "killed"))
    shared = os.path.join(directory, "shared")
    damaged(shared, beside_a_recorder(shared))
    full_disk(directory)
