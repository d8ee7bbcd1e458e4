#!/usr/bin/env python3
"""Faults of files, processes and disks, against a real collector.

usage: tests/faults/faults.py PLIMSOLL [NAME…]

Each fault makes its own logs and store in a temporary directory, disturbs the collector, and asks
at the end: is each record that was written there once, with its bytes as they were, and does
`verify` say so? Needs nothing but Python; faults whose tool is missing are skipped and named.
"""
import collections, json, os, random, shutil, signal, subprocess, sys, tempfile, time, zlib

PLIMSOLL = os.path.abspath(sys.argv[1])
FAULTS = []

def fault(function):
    FAULTS.append(function)
    return function

class Site:
    """Logs, configuration, store and collector of one fault."""

    def __init__(self, include=None):
        self.root = tempfile.mkdtemp(prefix="plimsoll-fault-")
        self.logs = f"{self.root}/logs"
        os.mkdir(self.logs)
        globs = include or ["**/*.log*"]
        lines = ['[store]', f'path = "{self.root}/store"', f'state = "{self.root}/state"',
                 '[[source]]', 'name = "app"',
                 'include = [' + ", ".join(f'"{self.logs}/{glob}"' for glob in globs) + ']']
        self.config = f"{self.root}/plimsoll.toml"
        open(self.config, "w").write("\n".join(lines) + "\n")
        self.wanted = collections.Counter()
        self.log = open(f"{self.root}/collector.log", "ab")
        self.process = None

    def path(self, name):
        return f"{self.logs}/{name}"

    def start(self, wait_s=1.0):
        words = [PLIMSOLL, "collect", "-c", self.config]
        self.process = subprocess.Popen(words, stdout=self.log, stderr=self.log)
        time.sleep(wait_s)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        assert status == 0, f"the collector ended with {status}: {self.tail()}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def once(self):
        ran = subprocess.run([PLIMSOLL, "collect", "-c", self.config, "--once"],
                             stdout=self.log, stderr=self.log, timeout=120)
        assert ran.returncode == 0, f"collect --once: {ran.returncode}: {self.tail()}"

    def tail(self):
        return open(f"{self.root}/collector.log", errors="replace").read()[-800:]

    def write(self, name, count, stream="a", first=0, pad=40, mode="a"):
        """Appends numbered records to a file and expects each of them."""
        with open(self.path(name), mode) as out:
            for number in range(first, first + count):
                line = record(stream, number, pad)
                self.wanted[line] += 1
                out.write(line + "\n")

    def bodies(self):
        ran = subprocess.run([PLIMSOLL, "query", "-c", self.config, "-o", "jsonl",
                              "SELECT body FROM logs"], capture_output=True, timeout=120)
        if ran.returncode == 3:
            return []
        assert ran.returncode == 0, f"query: {ran.returncode}: {ran.stderr.decode()[-500:]}"
        return [json.loads(line)["body"] for line in ran.stdout.splitlines()]

    def settle(self, limit_s=60):
        """Waits until the store has all that is expected, or nothing comes any more."""
        before, quiet = -1, 0
        for _ in range(limit_s):
            now = len(self.bodies())
            quiet = quiet + 1 if now == before else 0
            if now >= sum(self.wanted.values()) or quiet >= 6:
                return
            before = now
            time.sleep(1)

    def check(self, but=()):
        got = collections.Counter(self.bodies())
        missing, extra = self.wanted - got, got - self.wanted
        for line in but:
            extra.pop(line, None)
        assert not missing and not extra, (
            f"{sum(missing.values())} missing {list(missing)[:2]}, "
            f"{sum(extra.values())} too many {list(extra)[:2]}")
        ran = subprocess.run([PLIMSOLL, "verify", "-c", self.config], capture_output=True)
        assert ran.returncode == 0, f"verify: {ran.returncode}: {(ran.stdout + ran.stderr).decode()}"
        assert b"panicked" not in open(f"{self.root}/collector.log", "rb").read(), self.tail()

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

def record(stream, number, pad):
    check = zlib.crc32(f"{stream}:{number}".encode())
    stamp = f"2026-11-22T10:{number // 60000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}Z"
    return json.dumps({"ts": stamp, "level": "info", "msg": f"m{number}", "f": stream,
                       "seq": number, "h": check, "pad": "x" * pad})

@fault
def split_writes_never_give_half_a_record(site):
    site.start()
    for number in range(3):
        line = record("a", number, 40)
        site.wanted[line] += 1
        for part in (line[:30], line[30:], "\n"):
            with open(site.path("a.log"), "a") as out:
                out.write(part)
            time.sleep(0.7)
    site.settle()

@fault
def renamed_and_made_anew_while_behind(site):
    site.start()
    site.write("a.log", 20_000)
    time.sleep(0.2)
    site.pause()
    for turn in range(1, 4):
        os.rename(site.path("a.log"), site.path(f"a.log.{turn}"))
        site.write("a.log", 20_000, first=turn * 20_000)
    site.go_on()
    site.settle()

@fault
def rotated_out_of_the_glob_while_behind(site):
    site.start()
    site.write("a.log", 1_000)
    site.settle()
    site.pause()
    site.write("a.log", 1_000, first=1_000)
    os.rename(site.path("a.log"), f"{site.root}/elsewhere.1")
    site.write("a.log", 1_000, first=2_000)
    site.go_on()
    site.settle()
rotated_out_of_the_glob_while_behind.include = ["*.log"]

@fault
def copied_and_truncated_with_the_copy_in_the_glob(site):
    site.start()
    site.write("a.log", 3_000)
    site.settle()
    shutil.copyfile(site.path("a.log"), site.path("a.log.1"))
    os.truncate(site.path("a.log"), 0)
    site.write("a.log", 100, first=3_000)
    site.settle()

@fault
def deleted_while_unread(site):
    site.start()
    site.write("a.log", 10)
    site.settle()
    site.pause()
    site.write("a.log", 50_000, first=10)
    os.remove(site.path("a.log"))
    site.go_on()
    site.settle()

@fault
def two_files_with_equal_beginnings(site):
    banner = json.dumps({"msg": "banner " + "b" * 4_096})
    for name in ("a.log", "b.log"):
        with open(site.path(name), "w") as out:
            out.write((banner + "\n") * 4)
        site.wanted[banner] += 4
    site.write("a.log", 500, stream="a")
    site.write("b.log", 500, stream="b")
    site.start()
    site.settle()
    site.stop()
    site.start()

@fault
def hard_links_and_overlapping_globs(site):
    site.write("a.log", 500)
    os.link(site.path("a.log"), site.path("b.log"))
    site.once()
    site.once()
hard_links_and_overlapping_globs.include = ["*.log", "a*", "../logs/a.log"]

@fault
def logrotate_with_compression(site):
    if not shutil.which("logrotate"):
        return "logrotate is not here"
    rules = f"{site.root}/rotate.conf"
    open(rules, "w").write(f"{site.logs}/*.log {{\nrotate 30\nsize 1\ncompress\ncreate\n}}\n")
    site.start()
    for turn in range(10):
        site.write("a.log", 1_000, first=turn * 1_000)
        subprocess.run(["logrotate", "-f", "-s", f"{site.root}/rotate.state", rules], check=True)
        time.sleep(0.2)
    site.settle()
    site.stop()
    site.start(3)

@fault
def a_last_line_that_is_completed_later(site):
    lines = [json.dumps({"f": "a", "seq": number, "x": 1234}) for number in range(3)]
    for line in lines:
        site.wanted[line] += 1
    site.start()
    with open(site.path("a.log"), "w") as out:
        out.write(lines[0])
    time.sleep(4)
    with open(site.path("a.log"), "a") as out:
        out.write("\n" + lines[1] + "\n" + lines[2][:-4])
    time.sleep(4)
    assert not any(body == lines[2][:-4] for body in site.bodies()), "half a record was stored"
    with open(site.path("a.log"), "a") as out:
        out.write(lines[2][-4:] + "\n")
    site.settle()

@fault
def marks_blank_lines_and_carriage_returns(site):
    lines = ['{"f":"a","seq":0}', '{"f":"a","seq":1}']
    with open(site.path("a.log"), "wb") as out:
        out.write(b"\xef\xbb\xbf" + lines[0].encode() + b"\r\n\r\n\n" + lines[1].encode() + b"\r\n")
    for line in lines:
        site.wanted[line] += 1
    site.once()

@fault
def killed_again_and_again(site):
    for turn in range(15):
        site.write("a.log", 2_000, first=turn * 2_000)
        if turn % 5 == 4:
            os.rename(site.path("a.log"), site.path(f"a.log.{turn}"))
        site.start(random.random() * 0.9)
        site.kill()
    site.start()
    site.settle()

@fault
def a_second_collector_is_refused(site):
    site.write("a.log", 100)
    site.start()
    ran = subprocess.run([PLIMSOLL, "collect", "-c", site.config], capture_output=True, timeout=10)
    assert ran.returncode == 4, f"the second collector ended with {ran.returncode}"
    assert str(site.process.pid) in ran.stderr.decode(), ran.stderr.decode()
    site.settle()

@fault
def a_lock_left_by_a_dead_collector(site):
    site.write("a.log", 100)
    site.start()
    site.settle()
    site.kill()
    site.write("a.log", 100, first=100)
    site.once()

@fault
def a_pipe_in_the_glob(site):
    os.mkfifo(site.path("pipe.log"))
    site.write("a.log", 100)
    site.once()

@fault
def one_endless_line_blinds_nobody(site):
    site.write("b.log", 1_000, stream="b")
    with open(site.path("long.log"), "wb") as out:
        for _ in range(24):
            out.write(b"x" * (1 << 20))
        out.write(b"\n")
    site.once()
    return site.check(but=["x" * (64 << 10)])

def main():
    chosen = sys.argv[2:]
    failed = 0
    for function in FAULTS:
        name = function.__name__
        if chosen and name not in chosen:
            continue
        site, began = Site(getattr(function, "include", None)), time.time()
        try:
            skipped = function(site)
            if not skipped and name != "one_endless_line_blinds_nobody":
                site.check()
            print(f"{'skipped' if skipped else 'ok':8} {name} {skipped or ''} ({time.time() - began:.0f} s)",
                  flush=True)
        except Exception as error:
            failed += 1
            print(f"FAILED   {name}: {str(error)[:600]}", flush=True)
        finally:
            site.end()
    sys.exit(1 if failed else 0)

main()
