"""Files that are rotated, truncated, linked, renamed and replaced while they are followed."""
import json, os, shutil, time

from harness import fault, logrotate, needs, record


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
    """copytruncate while behind: what was cut off is lost, and a line says so."""
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


@fault("F10")
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
