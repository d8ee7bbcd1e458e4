"""Crashes, full and failing disks, a second writer, damaged stores, clocks that jump."""
import json, os, random, shutil, signal, subprocess, threading, time

from harness import SMALL_COMMITS, Skipped, entries, fault, needs, needs_file, segments, strace

@fault("F32", fast=True)
def the_disk_fails_to_sync(site):
    """EIO from the n-th fsync: exit 4 within 5 s with path and cause, and no second try."""
    for turn in (1, 3, 5, 8):
        site.configure(more=SMALL_COMMITS)
        site.write("a.log", 2_000, stream=f"turn{turn}")
        began, before = time.monotonic(), len(site.said())
        site.once(expect=4, before=strace("fsync,fdatasync", f"error=EIO:when={turn}"))
        said = site.said()[before:]
        assert time.monotonic() - began < 5, f"{time.monotonic() - began:.0f} s to give up"
        assert site.root in said and "os error 5" in said, said
        site.once()


@fault("F33", fast=True)
def no_room_for_a_moment(site):
    """ENOSPC from a write, a sync and a link of a commit: the collector waits, and goes on."""
    site.write("a.log", 10)
    site.once()
    for call in ("write", "fsync", "linkat"):
        site.configure(more=SMALL_COMMITS)
        site.write("a.log", 2_000, stream=call)
        before = len(site.said())
        site.once(before=strace(call, "error=ENOSPC:when=3"))
        assert "no room" in site.said()[before:], site.said()


@fault("F33")
def the_store_is_full_and_then_freed(site):
    """A store of 24 MiB, half of it taken: the collector lives, and goes on when there is room."""
    site.mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", at=site.store)
    with open(f"{site.store}/ballast", "wb") as out:
        out.write(bytes(6 << 20))
    site.start()
    site.write("a.log", 200_000, pad=200)
    time.sleep(20)
    assert site.is_alive(), site.said()[-400:]
    assert 1 <= site.said().count("no room") <= 2, site.said()[-400:]
    os.remove(f"{site.store}/ballast")
    site.run("mount", "-o", "remount,size=400m", site.store)
    site.settle(90, quiet_s=20)
    site.stop()
    site.check()


@fault("F33")
def asked_to_stop_while_the_store_is_full(site):
    """SIGTERM to a collector that waits for room: it ends soon, and nothing is lost."""
    site.mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", at=site.store)
    site.start()
    site.write("a.log", 100_000, pad=200)
    time.sleep(8)
    assert "no room" in site.said(), site.said()
    site.process.send_signal(signal.SIGTERM)
    status = site.ended(limit_s=10)
    assert status in (0, 4), status
    site.run("mount", "-o", "remount,size=400m", site.store)
    site.once()


@fault("F35")
def a_limit_on_the_size_of_files(site):
    """RLIMIT_FSIZE of 64 KiB: no death by signal but exit 4 with the cause; then all is there."""
    needs("prlimit")
    site.write("a.log", 100_000)
    site.once(expect=4, before=["prlimit", "--fsize=65536"])
    assert "File too large" in site.said(), site.said()
    site.once()


@fault("F36")
def the_store_becomes_read_only(site):
    """The file system of the store meets an error and turns read-only; queries go on."""
    needs("root", "mkfs.ext4")
    image = f"{site.root}/image"
    site.run("truncate", "-s", "64M", image)
    site.run("mkfs.ext4", "-qF", image)
    site.mount("-o", "loop,errors=remount-ro", image, at=site.store)
    with open("/proc/mounts") as mounts:
        device = next(line.split()[0] for line in mounts if line.split()[1] == site.store)
    trigger = f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error"
    if not os.path.exists(trigger):
        raise Skipped(f"needs {trigger}")
    os.rmdir(f"{site.store}/lost+found")
    site.write("a.log", 1_000)
    site.start()
    site.settle()
    with open(trigger, "w") as file:
        file.write("a fault that was asked for")
    site.write("a.log", 1_000, first=1_000)
    for _ in range(4):
        time.sleep(2)
        assert len(site.bodies()) == 1_000
    if site.is_alive():
        site.kill()
    else:
        assert site.process.returncode == 4, site.process.returncode
        assert "Read-only file system" in site.said() or "os error" in site.said(), site.said()
    site.run("umount", site.store)
    site.mount("-o", "loop", image, at=site.store)
    site.once()


@fault("F37", fast=True)
def a_second_collector_is_refused(site):
    """Also through a link and a second mount; of twenty started at once one lives."""
    site.write("a.log", 100)
    site.start()
    words = ["collect", "-c", site.config]
    _, said = site.plimsoll_says(*words, expect=4, timeout=10)
    assert str(site.process.pid) in said, said
    own = site.store
    other = f"{site.root}/other"
    os.symlink(own, other)
    site.store = other
    site.configure()
    site.plimsoll_says(*words, expect=4, timeout=10)
    if os.geteuid() == 0:
        site.store = f"{site.root}/mounted"
        site.mount("--bind", own, at=site.store)
        site.configure()
        site.plimsoll_says(*words, expect=4, timeout=10)
    site.store = own
    site.configure()
    site.settle()
    site.stop()
    crowd = [site.spawn(*words) for _ in range(20)]
    time.sleep(5)
    living = [each for each in crowd if each.poll() is None]
    assert len(living) == 1, f"{len(living)} live"
    assert all(each.returncode == 4 for each in crowd if each not in living)
    site.process = living[0]
    site.write("a.log", 100, first=100)
    site.settle()
    site.stop()


@fault("F38", fast=True)
def a_lock_left_by_a_dead_collector(site):
    """After kill -9, and with a living stranger's number in the file: it starts."""
    site.write("a.log", 100)
    site.start()
    site.settle()
    site.kill()
    with open(f"{site.store}/.plimsoll-lock", "w") as out:
        out.write(f"process {os.getpid()} on elsewhere\n")
    site.write("a.log", 100, first=100)
    site.once()


@fault("F41", fast=True)
def a_segment_is_damaged(site):
    """A byte flipped, an end cut off, emptied, replaced by another: nobody counts wrong."""
    for turn in range(2):
        site.write("a.log", 2_000, first=turn * 2_000)
        site.once()
    first, other = segments(site)
    with open(first, "rb") as file:
        good = file.read()
    with open(other, "rb") as file:
        foreign = file.read()
    flipped = bytearray(good)
    flipped[len(good) // 3] ^= 0x40
    for what, bad in (("flipped", bytes(flipped)), ("cut", good[:-100]), ("empty", b""),
                      ("foreign", foreign), ("noise", os.urandom(len(good))), ("gone", None)):
        os.remove(first)
        if bad is not None:
            with open(first, "wb") as out:
                out.write(bad)
        _, said = site.plimsoll_says("verify", "-c", site.config, expect=None)
        status = subprocess.run([site.plimsoll, "verify", "-c", site.config],
                                capture_output=True).returncode
        assert status == 4 or (what == "flipped" and status == 1), f"{what}: verify {status}"
        assert os.path.basename(first) in said or status == 1, f"{what}: {said}"
        ran = subprocess.run([site.plimsoll, "query", "-c", site.config, "-o", "jsonl",
                              "SELECT body, message, service, attrs, ts FROM logs"],
                             capture_output=True)
        assert b"panicked" not in ran.stderr, ran.stderr
        assert ran.returncode == 4, f"{what}: query {ran.returncode}: {ran.stderr.decode()}"
        assert os.path.basename(first) in ran.stderr.decode(), f"{what}: {ran.stderr.decode()}"
        site.write("a.log", 1, stream=what)
        site.once()
    with open(first, "wb") as out:
        out.write(good)


@fault("F42", fast=True)
def the_table_log_is_damaged(site):
    """The last entry cut in half, one in the middle gone: exit 4 naming it; never a new table."""
    for turn in range(4):
        site.write("a.log", 100, first=turn * 100)
        site.once()
    log = entries(site)
    for victim, damage in ((log[-1], "half"), (log[-1], "NUL"), (log[2], "gone"), (log[2], "half")):
        with open(victim, "rb") as file:
            good = file.read()
        os.remove(victim)
        if damage != "gone":
            with open(victim, "wb") as out:
                out.write(good[:len(good) // 2] if damage == "half" else bytes(len(good)))
        for words in (["collect", "--once"], ["verify"], ["query", "SELECT body FROM logs"]):
            _, said = site.plimsoll_says(words[0], "-c", site.config, *words[1:], expect=4)
            assert os.path.basename(victim) in said, said
        with open(victim, "wb") as out:
            out.write(good)
    shutil.rmtree(f"{site.store}/_delta_log")
    _, said = site.plimsoll_says("collect", "-c", site.config, "--once", expect=4)
    site.is_checked = True


@fault("F42", fast=True)
def a_torn_last_entry_is_repaired(site):
    """`repair` drops the torn last version, and collecting reads its records again."""
    for turn in range(3):
        site.write("a.log", 100, first=turn * 100)
        site.once()
    last = entries(site)[-1]
    os.truncate(last, os.path.getsize(last) // 2)
    site.once(expect=4)
    site.plimsoll_says("repair", "-c", site.config)
    site.once()


@fault("F43", fast=True)
def strange_files_in_the_store(site):
    """Orphan segments and leftovers go after an hour, counts stay, and notes.txt is left alone."""
    site.write("a.log", 500)
    site.once()
    own = segments(site)[0]
    directory = os.path.dirname(own)
    orphan = f"{directory}/part-{'0123456789abcdef' * 2}-0123456789abcdef.parquet"
    shutil.copyfile(own, orphan)
    leftovers = [orphan, f"{directory}/.plimsoll-tmp-" + "ab" * 16,
                 f"{site.store}/_delta_log/.plimsoll-tmp-" + "cd" * 16]
    for path in leftovers[1:]:
        open(path, "w").close()
    notes = [f"{site.store}/notes.txt", f"{directory}/notes.txt"]
    for path in notes:
        open(path, "w").close()
    site.check()
    site.once()
    assert all(os.path.exists(path) for path in leftovers), "young files were removed"
    old = time.time() - 7_200
    for path in leftovers + notes:
        os.utime(path, (old, old))
    site.once()
    assert not any(os.path.exists(path) for path in leftovers), "old leftovers are still there"
    assert all(os.path.exists(path) for path in notes), "a foreign file was removed"
    site.check()


@fault("F44", fast=True)
def compaction_is_killed_while_others_read(site):
    """`compact --now` dies 15 times at random moments; no reader sees a row less or twice."""
    for turn in range(6):
        site.write("a.log", 300, first=turn * 300)
        site.once()
    wrong, stopped, stored = [], threading.Event(), [1_800]

    def read():
        while not stopped.is_set():
            least = stored[0]
            ran = subprocess.run([site.plimsoll, "query", "-c", site.config, "-o", "csv",
                                  "SELECT count(*) AS n FROM logs"], capture_output=True)
            if ran.returncode == 0 and int(ran.stdout.split()[1]) not in (
                    least, least + 20, stored[0], stored[0] + 20):
                wrong.append(ran.stdout.decode())
            elif ran.returncode and b"again" not in ran.stderr:
                wrong.append(ran.stderr.decode())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(15):
            site.process = site.spawn("compact", "-c", site.config, "--now")
            time.sleep(random.random() * 0.2)
            if site.is_alive():
                site.kill()
            site.write("b.log", 20, stream="b", first=turn * 20)
            site.once()
            stored[0] += 20
    finally:
        stopped.set()
        reader.join()
    assert not wrong, wrong[:2]


@fault("F45")
def a_reader_is_overtaken_by_a_compaction(site):
    """A query is stopped while all its files are replaced: the right answer, or try again."""
    for turn in range(12):
        site.write("a.log", 1_500, first=turn * 1_500)
        site.once()
    answers = set()
    for turn in range(8):
        reader = subprocess.Popen([site.plimsoll, "query", "-c", site.config, "-o", "jsonl",
                                   "SELECT body FROM logs"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        site.started.append(reader)
        time.sleep(0.01 + turn * 0.012)
        reader.send_signal(signal.SIGSTOP)
        site.write("a.log", 1, stream="late", first=turn)
        site.once()
        site.plimsoll_says("compact", "-c", site.config, "--now")
        reader.send_signal(signal.SIGCONT)
        out, err = reader.communicate(timeout=60)
        lines = out.count(b"\n")
        if reader.returncode == 0:
            assert lines in (18_000 + turn, 18_001 + turn), f"{lines} rows with exit 0"
            answers.add("whole")
        else:
            assert reader.returncode == 4 and b"again" in err, err.decode()
            answers.add("try again")
    assert answers, "nothing was asked"


@fault("F48")
def the_clock_jumps(site):
    """Three days back, two forward, and now; files with times in 2038: nothing is lost or hangs."""
    library = needs_file("/usr/lib/*/faketime/libfaketime.so.1", "faketime")
    for turn, jump in enumerate(("-3d", "+2d", "", "-400d", "")):
        site.environment = {**os.environ, **({"LD_PRELOAD": library, "FAKETIME": jump}
                                             if jump else {})}
        site.start()
        site.write("a.log", 300, first=turn * 1_000)
        site.settle()
        os.rename(site.path("a.log"), site.path(f"a.log.{turn}"))
        site.write("a.log", 300, first=turn * 1_000 + 300)
        os.utime(site.path("a.log"), (2_147_000_000 + 10**9, 2_147_000_000 + 10**9))
        site.settle()
        with open(f"/proc/{site.process.pid}/stat") as stat:
            before = sum(map(int, stat.read().rsplit(")")[1].split()[11:13]))
        time.sleep(3)
        with open(f"/proc/{site.process.pid}/stat") as stat:
            busy = sum(map(int, stat.read().rsplit(")")[1].split()[11:13])) - before
        assert busy < 150, f"busy for {busy / 100} of 3 s"
        site.stop()
    site.environment = dict(os.environ)
    site.check()


# --- of the same kinds, beside the list ----------------------------------------------------


@fault(fast=True)
def the_store_is_moved(site):
    """The store's directory gets another name between two starts."""
    site.write("a.log", 300)
    site.once()
    moved = f"{site.root}/elsewhere/store"
    os.mkdir(f"{site.root}/elsewhere")
    os.rename(site.store, moved)
    site.store = moved
    site.configure()
    site.write("a.log", 100, first=300)
    site.once()


@fault()
def the_store_is_copied_while_it_is_written(site):
    """cp -r of a live store, as a backup: readable, proven, and collecting goes on from it."""
    site.start()
    for turn in range(10):
        site.write("a.log", 2_000, first=turn * 2_000)
        time.sleep(0.3)
        if turn == 5:
            site.run("cp", "-r", site.store, f"{site.root}/copy")
    site.settle()
    site.stop()
    site.check()
    site.store = f"{site.root}/copy"
    site.configure()
    site.verify()
    site.once()
    site.check()


@fault()
def the_store_is_deleted_under_the_collector(site):
    """rm -r of the store while collecting: exit 4 with its path, and the next start has all."""
    site.write("a.log", 300)
    site.start()
    site.settle()
    shutil.rmtree(site.store)
    site.write("a.log", 100, first=300)
    assert site.ended(limit_s=15) == 4
    assert site.store in site.said(), site.said()
    site.once()


@fault()
def the_logs_directory_goes_and_comes_back(site):
    """The directory of logs is away for some scans, as when a disk is mounted late."""
    site.start()
    site.write("a.log", 300)
    site.settle()
    time.sleep(2.5)
    os.rename(site.logs, f"{site.root}/away")
    time.sleep(6)
    assert site.is_alive()
    os.rename(f"{site.root}/away", site.logs)
    site.write("a.log", 100, first=300)
    site.settle()
    time.sleep(5)


@fault()
def reading_a_log_fails(site):
    """EIO from reads of a log: said with the file's name, and read on when it works again."""
    site.write("a.log", 3_000)
    failing = strace("pread64", "error=EIO:when=1..2")
    site.start(before=[*failing, "-P", site.path("a.log")])
    site.settle(30)
    assert "Input/output error" in site.said(), site.said()
    assert site.is_alive()
    site.kill()
    site.once()


@fault()
def a_foreign_commit_that_moves_rows(site):
    """Somebody removes a log entry's name and adds his own version: refused, not overwritten."""
    site.write("a.log", 100)
    site.once()
    last = entries(site)[-1]
    number = int(os.path.basename(last)[:-5]) + 1
    action = {"commitInfo": {"timestamp": 0, "operation": "DELETE", "engineInfo": "other/1"}}
    with open(f"{site.store}/_delta_log/{number:020}.json", "w") as out:
        out.write(json.dumps(action) + "\n")
    site.write("a.log", 100, first=100)
    status = site.once(expect=None)
    assert status in (0, 4), status
    if status == 4:
        assert f"{number}" in site.said(), site.said()
        os.remove(f"{site.store}/_delta_log/{number:020}.json")
        site.once()


@fault()
def few_descriptors(site):
    """RLIMIT_NOFILE of 128 and 300 files that grow, of two sources: all is read, none is lost."""
    needs("prlimit")
    site.configure(sources={"app": ["f*.log"], "web": ["w*.log"]})
    for number in range(150):
        site.write(f"f{number}.log", 20, stream=f"f{number}")
        site.write(f"w{number}.log", 20, stream=f"w{number}")
    site.start(before=["prlimit", "--nofile=128"])
    site.settle(40)
    for number in range(150):
        site.write(f"f{number}.log", 5, stream=f"f{number}", first=20)
    site.settle(40)
    assert "Too many open files" not in site.said(), site.said()
    site.stop()
