#!/usr/bin/env python3
"""The store against the file: throughput, size, and the reference question.

usage: benches/store.py PLIMSOLL FILE.ndjson [RUNS]

Collects FILE into a store of its own, in the directory for temporary files, asks the reference
question and a window of one hour of both, alternating, and fails when an answer differs.
"""
import os, subprocess, sys, tempfile, time

from reference import SQL, measured

HOUR = ("SELECT route, COUNT(*) AS n, p95(duration_ms) AS p95 FROM logs"
        " WHERE ts_ms >= {0} AND ts_ms < {0} + 3600000 GROUP BY route")


def size(directory):
    files = [os.path.join(at, name) for at, _, names in os.walk(directory) for name in names]
    return sum(os.path.getsize(path) for path in files)


def main():
    plimsoll, path = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    raw_bytes = os.path.getsize(path)
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        with open("plimsoll.toml", "w") as config:
            config.write(f'[[source]]\nname = "app"\ninclude = ["{path}"]\n')

        def timed(command):
            began = time.monotonic()
            out, cpu_s, mib = measured(command)
            return out, time.monotonic() - began, cpu_s, mib

        _, wall_s, cpu_s, mib = timed([plimsoll, "collect", "--once"])
        print(f"collect  {wall_s:6.2f} s  {cpu_s:6.2f} CPU-s  {mib:5.0f} MiB"
              f"  {raw_bytes / 1e6 / wall_s:.0f} MB/s")
        share = size(".plimsoll/store") / raw_bytes
        subprocess.run([plimsoll, "compact", "--now"], check=True, stdout=subprocess.DEVNULL)
        compacted = size(".plimsoll/store") / raw_bytes
        print(f"size     {share:.1%} of the raw file as collected, {compacted:.1%} compacted")
        first = subprocess.run([plimsoll, "query", "-o", "csv", "SELECT MIN(ts_ms) FROM logs"],
                               check=True, capture_output=True, text=True).stdout
        hour = HOUR.format(int(first.split()[-1]) + 3_600_000)
        for name, sql in {"question": SQL, "one hour": hour}.items():
            best = {}
            for _ in range(runs):
                answers = {}
                for of, words in {"store": [], "file": [path]}.items():
                    out, *used = timed([plimsoll, "query", *words, "-o", "json", sql])
                    answers[of] = out
                    best[of] = min(best.get(of, used), used)
                assert answers["store"] == answers["file"], f"{name}: the answers differ"
            for of, (wall_s, cpu_s, mib) in best.items():
                print(f"{name} of the {of:5} {wall_s:6.2f} s  {cpu_s:6.2f} CPU-s  {mib:5.0f} MiB"
                      f"  {wall_s / best['file'][0]:5.2f} x the file's time")


if __name__ == "__main__":
    main()
