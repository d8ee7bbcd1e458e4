#!/usr/bin/env python3
"""Follows a file that grows at a steady rate: memory, and how long a record waits for its commit.

usage: benches/live_tail.py PLIMSOLL [RECORDS_PER_S [SECONDS]]

Writes records of some 300 bytes, then counts the rows and proves them with `verify`. The lag is
what the collector itself logs for each commit: from the reading of its first record.
"""
import json, os, signal, subprocess, sys, tempfile, time

LINE = ('{"ts":"%s.%03dZ","level":"info","msg":"request completed","route":"/api/v1/items",'
        '"method":"GET","status":200,"duration_ms":%d.5,"request_id":"%032x","user_id":"u%08d",'
        '"http":{"status_code":200,"bytes":%d},"region":"sa-east-1","deploy":"2026.05.20-abc1234"}\n')


def main():
    plimsoll = os.path.abspath(sys.argv[1])
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        open("app.log", "w").close()
        with open("plimsoll.toml", "w") as config:
            config.write('[[source]]\nname = "app"\ninclude = ["app.log"]\n')
        collector = subprocess.Popen([plimsoll, "--log-dir", "own", "collect"],
                                     stderr=subprocess.DEVNULL)
        time.sleep(1)
        began, written = time.monotonic(), 0
        with open("app.log", "a") as log:
            while (passed := time.monotonic() - began) < seconds:
                due = int(passed * rate)
                stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
                log.write("".join(LINE % (stamp, n % 1000, n % 97, n * 0x9E3779B97F4A7C15, n % 5000,
                                          n % 4000) for n in range(written, due)))
                log.flush()
                written = due
                time.sleep(0.02)
        time.sleep(3)
        with open(f"/proc/{collector.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        collector.send_signal(signal.SIGTERM)
        _, code, usage = os.wait4(collector.pid, 0)
        assert os.waitstatus_to_exitcode(code) == 0
        lags = []
        for name in os.listdir("own"):
            with open(os.path.join("own", name)) as own:
                said = (json.loads(line) for line in own)
                fields = (it.get("fields", {}) for it in said)
                lags += [int(it["lag_ms"]) for it in fields if "lag_ms" in it]
        lags.sort()
        out = subprocess.run([plimsoll, "query", "-o", "csv", "SELECT COUNT(*) FROM logs"],
                             check=True, capture_output=True, text=True).stdout
        rows = int(out.split()[-1])
        subprocess.run([plimsoll, "verify"], check=True, stdout=subprocess.DEVNULL)
        cpu_s = usage.ru_utime + usage.ru_stime
        print(f"{written} records in {seconds} s, {rows} rows, verified; {cpu_s / seconds:.0%} of a"
              f" core, {peak / 1024:.0f} MiB; {len(lags)} commits, lag p50 {lags[len(lags) // 2]} ms,"
              f" p99 {lags[len(lags) * 99 // 100]} ms")
        assert rows == written


if __name__ == "__main__":
    main()
