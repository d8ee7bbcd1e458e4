"""A collector, or a compaction, that is killed at random moments and at every system call."""
import glob, os, random, re, threading, time

from harness import SMALL_COMMITS, fault, logrotate, segments, strace


def killed_under_logrotate(site, kills, turn_s):
    """Kills the collector at random moments while a writer and logrotate go on."""
    turn_logs = logrotate(site, "rotate 500\nsize 1\ncompress\ndelaycompress\ncreate")
    stopped = threading.Event()

    def write():
        number, turned = 0, time.monotonic()
        while not stopped.is_set():
            site.write("a.log", 150, first=number)
            number += 150
            if time.monotonic() - turned > turn_s:
                turn_logs()
                turned = time.monotonic()
            time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(kills):
            site.start(random.random() * 0.9)
            site.kill()
    finally:
        stopped.set()
        writer.join()
    began = time.monotonic()
    site.start(0)
    site.settle(90)
    site.stop()
    assert time.monotonic() - began < 90
    for _ in range(2):
        site.once()


@fault("F29", fast=True)
def killed_again_and_again(site):
    """kill -9 15 times at random moments, with 3,000 records a second and logrotate each second."""
    killed_under_logrotate(site, 15, 1)


@fault("F29")
def killed_two_hundred_times(site):
    """The same 200 times, rotating each 2 s; in the end no file is there that no version names."""
    killed_under_logrotate(site, 200, 2)
    site.check()
    old = time.time() - 7_200
    for path in glob.glob(f"{site.store}/**/*", recursive=True):
        os.utime(path, (old, old))
    site.once()
    site.plimsoll_says("compact", "-c", site.config, "--now")
    named = int(re.search(r"in (\d+) segments", site.verify())[1])
    assert len(segments(site)) == named, f"{len(segments(site))} files, {named} are named"
    left = [name for name in os.listdir(f"{site.store}/_delta_log") if name.startswith(".")]
    assert not left, left


def killed_at_calls(site, calls, most):
    """Kills `collect --once` at the n-th call of each kind, and reads on; how often it died."""
    deaths = 0
    for call in calls:
        for turn in range(1, most + 1):
            site.configure(more=SMALL_COMMITS)
            site.write("a.log", 1_000, stream=f"{call}{turn}")
            died = site.once(expect=None, before=strace(call, f"signal=KILL:when={turn}")) != 0
            if not died:
                break
            deaths += 1
        site.once()
        site.check()
    assert deaths, "no call was met"


@fault("F30", fast=True)
def killed_at_the_calls_of_a_commit(site):
    """kill -9 at the first calls of fsync, linkat, unlink and write of a collector."""
    killed_at_calls(site, ["fsync", "linkat", "unlink", "write"], 3)


@fault("F30")
def killed_at_every_system_call(site):
    """kill -9 at the n-th call, n up to 40, of all that changes a disk; the store goes on."""
    calls = ["fsync", "fdatasync", "link", "linkat", "rename", "renameat2", "unlink", "ftruncate",
             "write", "openat", "mkdir", "flock", "close"]
    for call in calls:
        try:
            killed_at_calls(site, [call], 40)
        except AssertionError as error:
            if "no call was met" not in str(error):
                raise AssertionError(f"{call}: {error}") from error


@fault("F30")
def killed_at_the_calls_of_a_compaction(site):
    """kill -9 at the n-th write, fsync, linkat, rename, unlink and utimensat of `compact --now`."""
    for call in ("write", "fsync", "linkat", "rename", "unlink", "rmdir", "utimensat"):
        for turn in range(1, 13):
            for part in range(2):
                site.write("a.log", 50, stream=f"{call}{turn}.{part}")
                site.once()
            words = ["compact", "-c", site.config, "--now"]
            status = site.ended(site.spawn(*words, before=strace(call, f"signal=KILL:when={turn}")))
            assert site.count() == sum(site.wanted.values()), f"{call} {turn}: {site.count()} rows"
            if status == 0:
                break
        site.check()
