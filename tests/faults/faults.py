#!/usr/bin/env python3
"""Faults of files, processes, disks and data, against a real collector.

usage: tests/faults/faults.py PLIMSOLL [--list | --all | NAME…]

Without names those run that the gate runs. Each fault makes its own logs and store in a temporary
directory, disturbs the collector, and asks at the end: is each record that was written there once,
with its bytes as they were, and does `verify` say so? A fault whose tool is missing is skipped, and
that is said. What each does and how it ends: README.md beside this file.
"""
import os, signal, sys, time

import tailing, replaced, kills, disk, power, shapes  # noqa: F401  (each registers its faults)
from harness import FAULTS, Site, Skipped


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    plimsoll, chosen = os.path.abspath(sys.argv[1]), sys.argv[2:]
    if chosen == ["--list"]:
        for each in FAULTS:
            print(f"{each.number:4} {'fast' if each.is_fast else '':4} {each.__name__}: "
                  f"{(each.__doc__ or '').strip().splitlines()[0]}")
        return
    unknown = {name for name in chosen if name != "--all"} - {each.__name__ for each in FAULTS}
    if unknown:
        sys.exit(f"no fault `{min(unknown)}`; --list shows them all")
    # Ended from outside, as by `timeout`, a fault leaves nothing behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    counts = {"ok": 0, "skipped": 0, "FAILED": 0}
    for each in FAULTS:
        if "--all" in chosen or each.__name__ in chosen or (not chosen and each.is_fast):
            counts[run(each, plimsoll)] += 1
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    sys.exit(1 if counts["FAILED"] else 0)


def run(each, plimsoll):
    site, began, word, why = Site(plimsoll, each.include), time.monotonic(), "ok", ""
    try:
        each(site)
        if not site.is_checked:
            site.check()
    except Skipped as skipped:
        word, why = "skipped", f": {skipped}"
    except Exception as error:  # whatever goes wrong, the other faults run
        word, why = "FAILED", f": {type(error).__name__}: {str(error)[:1500]}"
    finally:
        site.end()
    took = f"{time.monotonic() - began:.0f} s, {site.peak_mb} MiB"
    print(f"{word:8} {each.__name__} ({took}){why}", flush=True)
    return word


main()
