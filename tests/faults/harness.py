"""What every fault has: its own logs, configuration, store and collector, and the final check."""
import collections, glob, json, os, re, shutil, signal, subprocess, tempfile, threading, time, zlib

FAULTS = []
#: Most a collector may have resident, MiB.
MAX_RESIDENT_MB = 400
#: Records that are looked up one by one, at most.
MAX_LOOKED_UP = 30
#: Peak resident memory of a process, as Linux tells it.
PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


class Skipped(Exception):
    """The fault cannot be made here."""


def fault(number="", fast=False, include=("**/*.log*",)):
    """Registers a fault; `number` is its place in the list of faults, if it is there."""
    def register(function):
        function.number, function.is_fast, function.include = number, fast, include
        FAULTS.append(function)
        return function
    return register


def needs(*tools):
    """Skips the fault unless each tool is there; `root` is the right to mount and to kill."""
    for tool in tools:
        if os.geteuid() != 0 if tool == "root" else not shutil.which(tool):
            raise Skipped(f"needs {tool}")


def needs_file(pattern, package):
    found = glob.glob(pattern)
    if not found:
        raise Skipped(f"needs {package}")
    return found[0]


def record(stream, number, pad=40, stamp=None):
    """One line, that says itself where it belongs."""
    check = f"{zlib.crc32(f'{stream}:{number}'.encode()):08x}"
    stamp = stamp or (f"2026-11-22T10:{number // 60000 % 60:02}:"
                      f"{number // 1000 % 60:02}.{number % 1000:03}Z")
    return json.dumps({"ts": stamp, "level": "info", "msg": f"m{number}", "f": stream,
                       "seq": number, "h": check, "pad": "x" * pad})


class Site:
    """Logs, configuration, store and collector of one fault."""

    def __init__(self, plimsoll, include):
        self.plimsoll = plimsoll
        self.root = tempfile.mkdtemp(prefix="plimsoll-fault-")
        os.chmod(self.root, 0o755)
        self.logs, self.store = f"{self.root}/logs", f"{self.root}/store"
        os.mkdir(self.logs)
        self.config = f"{self.root}/plimsoll.toml"
        self.configure(include)
        self.wanted = collections.Counter()
        self.log = open(f"{self.root}/collector.log", "ab")
        self.process, self.started, self.undo = None, [], []
        self.peak_mb, self.is_checked, self.environment = 0, False, dict(os.environ)

    # --- files -----------------------------------------------------------------------------

    def path(self, name):
        return f"{self.logs}/{name}"

    def configure(self, include=("**/*.log*",), sources=None, more=()):
        """Writes the configuration: one source with these globs, or several by name."""
        lines = ["[store]", f'path = "{self.store}"', f'state = "{self.root}/state"', *more]
        for name, globs in (sources or {"app": include}).items():
            quoted = ", ".join(json.dumps(os.path.join(self.logs, each)) for each in globs)
            lines += ["[[source]]", f'name = "{name}"', f"include = [{quoted}]"]
        with open(self.config, "w") as out:
            out.write("\n".join(lines) + "\n")

    def write(self, name, count, stream="a", first=0, pad=40, mode="a"):
        """Appends numbered records to a file and expects each of them."""
        lines = [record(stream, number, pad) for number in range(first, first + count)]
        self.wanted.update(lines)
        with open(self.path(name), mode) as out:
            out.write("".join(line + "\n" for line in lines))

    def put(self, name, data, mode="ab"):
        """Writes bytes, and expects nothing."""
        with open(self.path(name), mode) as out:
            out.write(data)

    def want(self, *lines):
        self.wanted.update(lines)

    def mount(self, *words, at):
        """Mounts until the fault is over."""
        needs("root")
        os.makedirs(at, exist_ok=True)
        self.run("mount", *words, at)
        self.undo.append(lambda: self.run("umount", "-l", at, check=False))

    def run(self, *words, check=True, timeout=120, **more):
        """Runs a tool."""
        return subprocess.run(words, check=check, timeout=timeout, capture_output=True, **more)

    # --- processes -------------------------------------------------------------------------

    def spawn(self, *words, before=()):
        """Starts plimsoll, in front of it perhaps a tool that disturbs it."""
        process = subprocess.Popen([*before, self.plimsoll, *words], stdout=self.log,
                                   stderr=self.log, env=self.environment, start_new_session=True)
        self.started.append(process)
        threading.Thread(target=self.watch_memory, args=(process,), daemon=True).start()
        return process

    def watch_memory(self, process):
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status") as status:
                    peak = PEAK.search(status.read())
            except OSError:
                return
            if peak:
                self.peak_mb = max(self.peak_mb, int(peak[1]) // 1024)
            time.sleep(0.1)

    def start(self, wait_s=1.0, before=()):
        self.process = self.spawn("collect", "-c", self.config, before=before)
        time.sleep(wait_s)

    def ended(self, process=None, limit_s=30):
        """Exit status of a process that should end by itself."""
        process = process or self.process
        try:
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {limit_s} s: {self.said()[-400:]}") from None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.ended()
        assert status == 0, f"the collector ended with {status}: {self.said()[-800:]}"

    def kill(self):
        assert self.is_alive(), f"it had ended with {self.process.returncode}: {self.said()[-600:]}"
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def is_alive(self):
        return self.process.poll() is None

    def once(self, expect=0, before=(), limit_s=120):
        """Collects what is there; `None` expects any end."""
        status = self.ended(self.spawn("collect", "-c", self.config, "--once", before=before),
                            limit_s)
        assert expect is None or status == expect, (
            f"collect --once ended with {status}: {self.said()[-800:]}")
        return status

    def plimsoll_says(self, *words, expect=0, timeout=120):
        """Runs a command of plimsoll; both its outputs."""
        ran = subprocess.run([self.plimsoll, *words], capture_output=True, timeout=timeout)
        out, err = ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace")
        assert "panicked" not in err, err[-800:]
        assert expect is None or ran.returncode == expect, (
            f"{words[0]} ended with {ran.returncode} and not {expect}: {(out + err)[-600:]}")
        return out, err

    def said(self):
        """All that collectors printed."""
        with open(f"{self.root}/collector.log", errors="replace") as log:
            return log.read()

    # --- what is stored --------------------------------------------------------------------

    def rows(self, sql):
        """The answer to a query, as objects."""
        ran = subprocess.run([self.plimsoll, "query", "-c", self.config, "-o", "jsonl", sql],
                             capture_output=True, timeout=300)
        if ran.returncode == 3:
            return []
        assert ran.returncode == 0, f"query: {ran.returncode}: {ran.stderr.decode()[-500:]}"
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def bodies(self):
        return [row["body"] for row in self.rows("SELECT body FROM logs")]

    def count(self):
        """How many rows the store's log tells of; reads no segment."""
        ran = subprocess.run([self.plimsoll, "collect", "-c", self.config, "--status"],
                             capture_output=True, timeout=60)
        found = re.search(rb": (\d+) rows in", ran.stdout)
        return int(found[1]) if found else 0

    def settle(self, limit_s=60, quiet_s=8):
        """Waits until the store has all that is expected, or nothing comes any more."""
        wanted, before, changed = sum(self.wanted.values()), -1, time.monotonic()
        until = changed + limit_s
        while time.monotonic() < until:
            now = self.count()
            if now != before:
                before, changed = now, time.monotonic()
            if now >= wanted or time.monotonic() - changed > quiet_s:
                return
            time.sleep(0.3)

    def check(self, but=(), unparsed=False):
        """Each record once with its bytes, and nothing besides.

        `but` may be there besides. With `unparsed`, what a query leaves out because it cannot be
        understood is looked for in the store itself, where it has to be.
        """
        self.is_checked = True
        got = collections.Counter(self.bodies())
        missing, extra = self.wanted - got, got - self.wanted
        for line in but:
            extra.pop(line, None)
        if unparsed:
            for line in list(missing)[:MAX_LOOKED_UP]:
                if self.kept(line) == self.wanted[line]:
                    missing.pop(line)
            if len(missing) <= max(0, len(self.wanted) - MAX_LOOKED_UP):
                missing.clear()
        assert not missing and not extra, (
            f"{sum(missing.values())} missing {[str(line)[:160] for line in list(missing)[:2]]}, "
            f"{sum(extra.values())} too many {[str(line)[:160] for line in list(extra)[:2]]}; "
            f"said: {self.said()[-500:]}")
        if not but:
            rows, wanted = self.count(), sum(self.wanted.values())
            assert rows == wanted, f"{rows} rows of {wanted} records"
        self.verify()
        assert "panicked" not in self.said(), self.said()[-800:]
        assert self.peak_mb < MAX_RESIDENT_MB, f"{self.peak_mb} MiB resident"

    def kept(self, line):
        """How many rows have this text, whatever a query makes of it; `None` asks for no text."""
        if line is not None and ("\0" in line or len(line) > 16_000):
            return self.wanted[line]  # cannot be an argument; the number of rows is tested
        condition = "body IS NULL" if line is None else "body = '" + line.replace("'", "''") + "'"
        out, _ = self.plimsoll_says("erase", "-c", self.config, "--dry-run", "--where", condition)
        return int(re.search(r"for (\d+) records", out)[1])

    def verify(self):
        return self.plimsoll_says("verify", "-c", self.config, timeout=300)[0]

    def end(self):
        """Leaves nothing behind: no process, no mount, no file."""
        for process in self.started:
            if process.poll() is None:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
        for step in reversed(self.undo):
            try:
                step()
            except (OSError, subprocess.SubprocessError):
                pass
        self.log.close()
        shutil.rmtree(self.root, ignore_errors=True)


#: Commits of 64 KiB instead of 8 MiB: more of them, so more moments between them.
SMALL_COMMITS = ["[collect]", 'flush_size = "64KiB"']


def strace(call, what):
    needs("strace")
    return ["strace", "-qq", "-f", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:{what}"]


def segments(site):
    return sorted(glob.glob(f"{site.store}/date=*/part-*.parquet"))


def entries(site):
    return sorted(glob.glob(f"{site.store}/_delta_log/*.json"))


def logrotate(site, rules):
    """Turns the real logrotate with these rules."""
    needs("logrotate")
    config = f"{site.root}/rotate.conf"
    with open(config, "w") as out:
        out.write(f"{site.logs}/*.log {{\n{rules}\n}}\n")
    os.chmod(config, 0o644)
    return lambda: site.run("logrotate", "-f", "-s", f"{site.root}/rotate.state", config)
