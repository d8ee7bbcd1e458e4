"""Files that are rewritten, replaced, linked, packed and moved in ways the list does not name."""
import gzip, mmap, os, shutil, threading, time

from harness import fault, needs, record


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


@fault()
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


@fault()
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


@fault()
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


@fault()
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


@fault()
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
