"""Files that are rotated, truncated, linked, renamed and replaced while they are followed."""
import gzip, json, mmap, os, shutil, threading, time

from harness import fault, needs, record


def logrotate(site, rules):
    """Turns the real logrotate with these rules."""
    needs("logrotate")
    config = f"{site.root}/rotate.conf"
    with open(config, "w") as out:
        out.write(f"{site.logs}/*.log {{\n{rules}\n}}\n")
    os.chmod(config, 0o644)
    return lambda: site.run("logrotate", "-f", "-s", f"{site.root}/rotate.state", config)


@fault("F01", fast=True)
def split_writes_never_give_half_a_record(site):
    """A record comes in three writes with pauses between; half of it is never a row."""
    site.start()
    for number in range(3):
        line = record("a", number)
        site.want(line)
        for part in (line[:30], line[30:], "\n"):
            site.put("a.log", part.encode())
            time.sleep(0.7)
    site.settle()


@fault("F02", fast=True)
def renamed_and_made_anew_while_behind(site):
    """Three rotations by rename while the collector is stopped in the middle of the first file."""
    site.start()
    site.write("a.log", 50_000)
    time.sleep(0.2)
    site.pause()
    for turn in range(1, 4):
        os.rename(site.path("a.log"), site.path(f"a.log.{turn}"))
        site.write("a.log", 50_000, first=turn * 50_000)
    site.go_on()
    site.settle()


@fault("F03", fast=True, include=["*.log"])
def rotated_out_of_the_glob_while_behind(site):
    """The file moves where no glob looks; its tail is read from the open descriptor."""
    site.start()
    site.write("a.log", 1_000)
    site.settle()
    site.pause()
    site.write("a.log", 1_000, first=1_000)
    os.rename(site.path("a.log"), f"{site.root}/elsewhere.1")
    site.write("a.log", 1_000, first=2_000)
    site.go_on()
    site.settle()


@fault("F05", fast=True)
def copied_and_truncated_with_the_copy_in_the_glob(site):
    """copytruncate; the copy is not read again."""
    site.start()
    site.write("a.log", 3_000)
    site.settle()
    shutil.copyfile(site.path("a.log"), site.path("a.log.1"))
    os.truncate(site.path("a.log"), 0)
    site.write("a.log", 100, first=3_000)
    site.settle()
    time.sleep(8)


@fault("F07", include=["*.log"])
def copied_and_truncated_with_the_copy_out_of_the_glob(site):
    """copytruncate while behind: what was cut off is lost, and said to be, to the byte."""
    site.start()
    site.write("a.log", 1_000)
    site.settle()
    time.sleep(2.5)
    site.pause()
    lost = [record("a", number) for number in range(1_000, 1_500)]
    site.put("a.log", "".join(line + "\n" for line in lost).encode())
    shutil.copyfile(site.path("a.log"), f"{site.root}/copy")
    os.truncate(site.path("a.log"), 0)
    site.write("a.log", 100, first=1_500)
    site.go_on()
    site.settle()
    time.sleep(5)
    site.check()
    assert "truncated" in site.said(), site.said()[-400:]


@fault("F08")
def an_inode_is_used_again(site):
    """On a file system with 64 inodes each new file gets the inode of the one before."""
    needs("root", "mkfs.ext4")
    image = f"{site.root}/image"
    site.run("truncate", "-s", "64M", image)
    site.run("mkfs.ext4", "-qF", "-N", "64", image)
    site.mount("-o", "loop", image, at=site.logs)
    site.start()
    for turn in range(10):
        site.write("a.log", 100, first=turn * 100)
        site.settle(12)
        os.remove(site.path("a.log"))


@fault("F08")
def an_inode_is_used_again_between_two_scans(site):
    """As above, but the next file is there before anybody looked."""
    needs("root", "mkfs.ext4")
    image = f"{site.root}/image"
    site.run("truncate", "-s", "64M", image)
    site.run("mkfs.ext4", "-qF", "-N", "64", image)
    site.mount("-o", "loop", image, at=site.logs)
    for turn in range(12):
        site.write("a.log", 100, first=turn * 100)
        site.once()
        os.remove(site.path("a.log"))


@fault("F10", fast=True)
def deleted_while_unread(site):
    """A file is deleted with 200,000 records unread; all come, and its descriptor is closed."""
    site.start()
    site.write("a.log", 10)
    site.settle()
    site.pause()
    site.write("a.log", 200_000, first=10)
    os.remove(site.path("a.log"))
    site.go_on()
    site.settle()
    for _ in range(75):
        held = [os.readlink(each.path) for each in os.scandir(f"/proc/{site.process.pid}/fd")]
        if not any("a.log (deleted)" in each for each in held):
            return
        time.sleep(1)
    raise AssertionError("the deleted file is still open after 75 s")


@fault("F11", fast=True)
def two_files_with_equal_beginnings(site):
    """The same 16 KiB of banner in two live files: two generations, also after a restart."""
    banner = json.dumps({"msg": "banner " + "b" * 4_096})
    for name in ("a.log", "b.log"):
        site.put(name, (banner + "\n").encode() * 4)
        site.want(*[banner] * 4)
    site.write("a.log", 1_000, stream="a")
    site.write("b.log", 1_000, stream="b")
    site.start()
    site.settle()
    site.stop()
    site.start(3)


@fault("F13", fast=True, include=["*.log", "a*", "../logs/a.log"])
def hard_links_and_overlapping_globs(site):
    """One file under two names and three globs is read once."""
    site.write("a.log", 500)
    os.link(site.path("a.log"), site.path("b.log"))
    site.once()
    site.once()


@fault("F14", fast=True)
def logrotate_with_compression(site):
    """20 turns of the real logrotate with `compress`; no .gz is read again, also after restart."""
    turn_logs = logrotate(site, "rotate 30\nsize 1\ncompress\ncreate")
    site.start()
    for turn in range(20):
        site.write("a.log", 2_000, first=turn * 2_000)
        turn_logs()
        time.sleep(0.2)
    site.settle()
    site.stop()
    site.start(8)


@fault("F14")
def logrotate_that_copies_and_truncates(site):
    """10 turns of logrotate with `copytruncate` and `delaycompress`, when all was read."""
    turn_logs = logrotate(site, "rotate 30\nsize 1\ncompress\ndelaycompress\ncopytruncate")
    site.start()
    for turn in range(10):
        site.write("a.log", 2_000, first=turn * 2_000)
        site.settle()
        turn_logs()
    site.stop()
    site.start(8)


@fault("F16", fast=True)
def a_last_line_that_is_completed_later(site):
    """A last line without its end is a row when it is whole JSON, and its beginning never is."""
    lines = [json.dumps({"f": "a", "seq": number, "x": 1234}) for number in range(3)]
    site.want(*lines)
    site.start()
    site.put("a.log", lines[0].encode())
    time.sleep(5)
    site.put("a.log", f"\n{lines[1]}\n{lines[2][:-4]}".encode())
    time.sleep(8)
    assert lines[2][:-4] not in site.bodies(), "half a record was stored"
    site.put("a.log", lines[2][-4:].encode() + b"\n")
    site.settle()


@fault("F23")
def ten_thousand_files_at_once(site):
    """10,000 files appear while the queue of file events holds 16."""
    needs("root")
    limit = "/proc/sys/fs/inotify/max_queued_events"
    with open(limit) as file:
        before = file.read()
    def restore():
        with open(limit, "w") as file:
            file.write(before)
    site.undo.append(restore)
    with open(limit, "w") as file:
        file.write("16")
    site.start()
    for number in range(10_000):
        site.write(f"z{number}.log", 1, stream="z", first=number)
    site.settle(180, quiet_s=40)


@fault("F25", fast=True)
def a_file_that_may_not_be_read_for_a_while(site):
    """chmod 000 and back under a collector that is nobody: one line says so, not one a scan."""
    needs("root", "setpriv")
    site.write("a.log", 100)
    os.chmod(site.path("a.log"), 0)
    for path in (site.root, site.logs, site.path("a.log")):
        os.chown(path, 65534, 65534)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    site.start(7, before=nobody)
    os.chmod(site.path("a.log"), 0o644)
    site.settle()
    assert site.said().count("cannot be read") == 1, site.said()
    assert site.said().count("can be read now") == 1, site.said()


@fault("F27")
def deep_directories_are_made_under_the_scan(site):
    """300 trees of four directories, each with a file, made while they are being listed."""
    site.start()
    for number in range(300):
        os.makedirs(site.path(f"x{number}/b/c/d"))
        site.write(f"x{number}/b/c/d/y.log", 1, stream=f"y{number}")
    site.settle()


@fault("F28", fast=True)
def a_directory_is_renamed_under_the_writer(site):
    """The writer keeps its descriptor while its directory gets another name and a successor."""
    os.mkdir(site.path("sub"))
    site.start()
    with open(site.path("sub/a.log"), "a") as out:
        for number in range(5_000):
            line = record("a", number)
            site.want(line)
            out.write(line + "\n")
            if number % 100 == 0:
                out.flush()
                time.sleep(0.1)
            if number == 1_500:
                os.rename(site.path("sub"), site.path("old"))
                os.mkdir(site.path("sub"))
    site.write("sub/a.log", 100, first=5_000)
    site.settle()


# --- of the same kinds, beside the list ----------------------------------------------------


@fault()
def truncated_to_the_middle_and_written_on(site):
    """The second half is cut off and written anew: what stayed may come twice, nothing is lost."""
    site.start()
    site.write("a.log", 1_000)
    site.settle()
    time.sleep(2.5)
    half = len("".join(record("a", number) + "\n" for number in range(500)))
    os.truncate(site.path("a.log"), half)
    site.write("a.log", 300, first=1_000)
    time.sleep(8)
    site.settle()
    site.check(but=[record("a", number) for number in range(500)])


@fault()
def rewritten_with_the_old_times_and_length(site):
    """Other content of the same length, and the old mtime put back: the new content is read."""
    site.start()
    site.write("a.log", 1_000)
    site.settle()
    time.sleep(2.5)
    old = os.stat(site.path("a.log"))
    site.write("a.log", 1_000, stream="b", mode="r+")
    os.utime(site.path("a.log"), ns=(old.st_atime_ns, old.st_mtime_ns))
    assert os.stat(site.path("a.log")).st_size == old.st_size
    time.sleep(5)
    site.settle()


@fault(fast=True)
def rotated_twice_between_two_scans(site):
    """a → a.1 → a.2 while nobody looks, each with new records."""
    site.start()
    site.write("a.log", 500)
    site.settle()
    for turn in range(1, 6):
        site.pause()
        site.write("a.log", 500, first=turn * 1_000)
        if os.path.exists(site.path("a.log.1")):
            os.rename(site.path("a.log.1"), site.path(f"a.log.{turn + 1}"))
        os.rename(site.path("a.log"), site.path("a.log.1"))
        site.write("a.log", 500, first=turn * 1_000 + 500)
        os.rename(site.path("a.log.1"), site.path(f"a.log.{turn + 20}"))
        os.rename(site.path("a.log"), site.path("a.log.1"))
        site.go_on()
        time.sleep(1)
    site.settle()


@fault()
def rotated_onto_the_name_of_another_source(site):
    """A file of one source gets a name of the other: its rows stay, and none comes twice."""
    site.configure(sources={"web": ["web*.log"], "job": ["job*.log"]})
    site.write("web.log", 500, stream="web")
    site.start()
    site.settle()
    site.write("web.log", 200, stream="web", first=500)
    site.settle()
    os.rename(site.path("web.log"), site.path("job-1.log"))
    site.write("web.log", 100, stream="web", first=700)
    time.sleep(6)
    site.settle()
    # Each source keeps its own positions, so what moves between them is read by both.
    site.check(but=[record("web", number) for number in range(700)])


@fault()
def two_sources_over_one_file(site):
    """Two sources name the same file: both have it, and each has it once."""
    site.configure(sources={"one": ["*.log"], "two": ["a*"]})
    site.write("a.log", 300)
    site.once()
    site.once()
    site.wanted.update(list(site.wanted))


@fault(fast=True)
def replaced_by_a_directory_and_back(site):
    """app.log is a file, then a directory, then another file."""
    site.start()
    site.write("a.log", 200)
    site.settle()
    os.remove(site.path("a.log"))
    os.mkdir(site.path("a.log"))
    site.write("a.log/inner.log", 50, stream="inner")
    time.sleep(5)
    shutil.rmtree(site.path("a.log"))
    site.write("a.log", 200, first=200)
    site.settle()


@fault(fast=True)
def a_link_is_turned_to_another_file(site):
    """current.log is a symbolic link, turned from one day's file to the next."""
    os.mkdir(site.path("days"))
    site.configure(["current.log", "days/*.log"])
    site.write("days/1.log", 300, stream="1")
    os.symlink("days/1.log", site.path("current.log"))
    site.start()
    site.settle()
    for day in (2, 3):
        site.write(f"days/{day}.log", 300, stream=str(day))
        os.symlink(f"days/{day}.log", site.path("next"))
        os.rename(site.path("next"), site.path("current.log"))
        site.write(f"days/{day}.log", 100, stream=str(day), first=300)
        time.sleep(3)
    site.settle()


@fault()
def a_link_is_turned_and_only_it_is_in_the_glob(site):
    """As above, but the days' files have no glob of their own."""
    site.configure(["current.log"])
    site.start()
    for day in (1, 2, 3):
        site.write(f"{day}.day", 300, stream=str(day))
        os.symlink(f"{day}.day", site.path("next"))
        os.rename(site.path("next"), site.path("current.log"))
        site.settle()
        site.write(f"{day}.day", 100, stream=str(day), first=300)
        site.settle()


@fault()
def a_hole_in_a_sparse_file(site):
    """64 MiB of NUL between two records, as after a truncation under a writer with its offset."""
    site.write("a.log", 100)
    with open(site.path("a.log"), "r+b") as out:
        out.seek(64 << 20, os.SEEK_CUR)
        out.seek(0, os.SEEK_END)
        out.seek(64 << 20, os.SEEK_CUR)
        line = record("a", 100)
        out.write(b"\n" + line.encode() + b"\n")
        site.want(line)
    site.write("a.log", 100, first=101)
    site.once()
    others = [body for body in site.bodies() if body not in site.wanted]
    assert len(others) <= 1, f"{len(others)} rows of a hole"
    site.check(but=others)


@fault()
def a_writer_keeps_its_offset_after_a_truncation(site):
    """copytruncate under a writer without O_APPEND: the file is NUL up to its offset."""
    site.start()
    with open(site.path("a.log"), "wb", buffering=0) as out:
        for number in range(1_000):
            line = record("a", number)
            site.want(line)
            out.write(line.encode() + b"\n")
        site.settle()
        time.sleep(2.5)
        os.truncate(site.path("a.log"), 0)
        time.sleep(2.5)
        for number in range(1_000, 1_100):
            line = record("a", number)
            site.want(line)
            out.write(line.encode() + b"\n")
    site.settle()
    time.sleep(4)
    site.check(but=[body for body in site.bodies() if body not in site.wanted])


@fault(fast=True)
def appended_through_a_mapping(site):
    """Records are written through a shared mapping: size first, bytes and mtime afterwards."""
    lines = [record("a", number) for number in range(200)]
    text = "".join(line + "\n" for line in lines).encode()
    site.want(*lines)
    site.start()
    with open(site.path("a.log"), "w+b") as out:
        out.truncate(len(text))
        out.flush()
        with mmap.mmap(out.fileno(), len(text)) as mapped:
            for at in range(0, len(text), 4_096):
                mapped[at:at + 4_096] = text[at:at + 4_096]
                time.sleep(0.05)
            mapped.flush()
    site.settle()
    time.sleep(5)
    site.check(but=[body for body in site.bodies() if body not in site.wanted])


@fault(fast=True)
def a_gz_twin_before_the_original_goes(site):
    """gzip writes a.log.1.gz beside a.log.1 for ten seconds before it removes it."""
    site.start()
    site.write("a.log", 2_000)
    site.settle()
    os.rename(site.path("a.log"), site.path("a.log.1"))
    site.write("a.log", 100, first=2_000)
    with open(site.path("a.log.1"), "rb") as plain:
        packed = gzip.compress(plain.read())
    for at in range(0, len(packed), len(packed) // 4 + 1):
        site.put("a.log.1.gz", packed[at:at + len(packed) // 4 + 1])
        time.sleep(2.5)
    os.remove(site.path("a.log.1"))
    time.sleep(5)
    site.settle()
    site.stop()
    site.start(5)


@fault()
def a_zstd_twin(site):
    """zstd --rm turns a rotated file into its .zst twin, first behind and then ahead of reading."""
    needs("zstd")
    site.start()
    for turn in range(4):
        if turn % 2:
            site.pause()
        site.write("a.log", 2_000, first=turn * 2_000)
        if not turn % 2:
            site.settle()
        os.rename(site.path("a.log"), site.path(f"a.log.{turn}"))
        site.run("zstd", "-q", "--rm", site.path(f"a.log.{turn}"))
        site.go_on()
        time.sleep(3)
    site.settle()
    site.stop()
    site.start(5)


@fault(fast=True)
def a_file_grows_while_it_is_read_once(site):
    """--once ends though its file grows; the next --once has the rest."""
    stopped = threading.Event()
    def grow():
        number = 0
        with open(site.path("a.log"), "a") as out:
            while not stopped.is_set() and number < 400_000:
                line = record("a", number)
                site.want(line)
                out.write(line + "\n")
                number += 1
    writer = threading.Thread(target=grow)
    writer.start()
    try:
        time.sleep(0.2)
        site.once()
        site.once()
    finally:
        stopped.set()
        writer.join()
    site.once()


@fault()
def started_again_with_other_globs(site):
    """A glob goes and comes back between two starts: the file is read on, not again."""
    site.write("a.log", 500)
    site.write("b.log", 500, stream="b")
    site.once()
    site.configure(["a.log"])
    site.write("b.log", 100, stream="b", first=500)
    site.write("a.log", 100, first=500)
    site.once()
    site.configure(["*.log", "*.txt"])
    site.write("c.txt", 100, stream="c")
    site.once()


@fault()
def the_logs_are_moved_to_another_place(site):
    """The directory of logs is renamed and the configuration with it: nothing is read again."""
    site.write("a.log", 500)
    site.once()
    moved = f"{site.root}/moved"
    os.rename(site.logs, moved)
    site.logs = moved
    site.configure()
    site.write("a.log", 100, first=500)
    site.once()


@fault()
def logs_restored_from_a_copy(site):
    """All files get new inodes with the same bytes, as after a restore: nothing is read again."""
    for name in "abc":
        site.write(f"{name}.log", 500, stream=name)
    site.once()
    for name in "abc":
        shutil.copyfile(site.path(f"{name}.log"), site.path("copy"))
        os.rename(site.path("copy"), site.path(f"{name}.log"))
        site.write(f"{name}.log", 10, stream=name, first=500)
    site.once()
    site.once()


@fault(include=["*.log"])
def more_files_than_may_be_open(site):
    """1,500 files grow in turns with at most 64 open, and two are renamed away."""
    site.configure(["*.log"], more=["[collect]", "max_open_files = 64"])
    site.start()
    for turn in range(3):
        for number in range(500):
            site.write(f"f{number}.log", 2, stream=f"f{number}", first=turn * 2)
        time.sleep(1)
    site.settle()
