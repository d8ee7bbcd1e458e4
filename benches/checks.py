#!/usr/bin/env python3
"""How soon planted incidents are caught by the rules that `init` writes, and false alarms.

usage: benches/checks.py PLIMSOLL [--planted N] [--quiet N] [--healthy N] [--rate REQUESTS]

Planted: for each seed and kind of incident a demo data set is written, `init` writes the rules,
and `check` is asked with nothing but them at moments after the beginning of the incident. A drop
of submissions begins at midnight, when few are expected: minutes are also counted from when as
many were expected as 7, of which none comes once in a thousand times.
Quiet: weeks without an incident judged by the rules that `init` writes, at six moments.
Healthy: weeks without an incident judged by the twenty rules of benches/checks.toml.
"""
import argparse, json, os, subprocess, tempfile
from collections import Counter
from datetime import datetime, timedelta, timezone

KINDS = ["slow-route", "errors", "signin-failures", "submissions-drop"]
MINUTES = [5, 10, 15, 20, 30, 45, 60, 90, 120, 150, 180, 240, 300, 360, 420, 480, 540, 600, 720,
           840, 1440, 2160]
MOMENTS = [None, "2026-11-16T03:30Z", "2026-11-17T13:00Z", "2026-11-18T18:00Z",
           "2026-11-20T01:00Z", "2026-11-21T06:00Z"]
# Offset of the demo's local time from UTC, in hours; none of its days changes the clocks.
LOCAL_H = -3
EXPECTED = 7
HERE = os.path.dirname(os.path.abspath(__file__))

def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))

def demo(plimsoll, root, seed, incident, extra):
    path = f"{root}/demo"
    subprocess.run(["rm", "-rf", path], check=True)
    subprocess.run([plimsoll, "demo", path, "--seed", str(seed), "--incident", incident, *extra],
                   check=True, capture_output=True)
    return path

def run(plimsoll, root, path, *options):
    out = subprocess.run([plimsoll, "check", path, "-o", "json", *options], cwd=root,
                         capture_output=True, text=True)
    if out.returncode not in (0, 1, 3):
        raise SystemExit(out.stderr)
    return out.returncode, json.loads(out.stdout)

def check(plimsoll, root, path, *options):
    return run(plimsoll, root, path, *options)[1]

def init(plimsoll, root, path):
    config = f"{root}/plimsoll.toml"
    if os.path.exists(config):
        os.remove(config)
    subprocess.run([plimsoll, "init", f"{path}/logs"], cwd=root, check=True, capture_output=True)

def expected_since(path, since, event):
    """Minutes from local midnight until EXPECTED of an event come, on average of school days."""
    text = subprocess.run(["grep", "-rhF", event, f"{path}/logs"], capture_output=True, text=True)
    days = {}
    for line in text.stdout.splitlines():
        try:
            seconds = json.loads(line)["timestamp"] / 1000
        except ValueError:
            continue
        local = datetime.fromtimestamp(seconds, timezone.utc) + timedelta(hours=LOCAL_H)
        if seconds < since.timestamp():
            days.setdefault(local.date(), []).append(local.hour * 60 + local.minute)
    usual = sorted(len(times) for times in days.values())[-1] / 2 if days else 0
    school = [times for day, times in days.items() if day.weekday() < 5 and len(times) > usual]
    times = sorted(minute for times in school for minute in times)
    place = EXPECTED * len(school)
    return times[place] if place < len(times) else None

def is_about(result, incident):
    group, kind = result["group"], incident["kind"]
    if kind == "slow-route":
        return result["id"] == "slower-routes" and group.get("route") == incident["route"]
    if kind == "errors":
        return result["id"] == "failures"
    return group.get("event") == incident["event"]

def planted(args, root):
    caught = {kind: [] for kind in KINDS}
    for seed in range(args.first, args.first + args.planted):
        for kind in KINDS:
            extra = ["--rate", str(args.rate), "--days", str(args.days), "--brief"]
            path = demo(args.plimsoll, root, seed, kind, extra)
            truth = json.load(open(f"{path}/truth.json"))
            init(args.plimsoll, root, path)
            for incident in truth["incidents"]:
                began = at(incident["from"])
                known = None
                if kind == "submissions-drop":
                    known = expected_since(path, began, incident["event"])
                took = None
                for minutes in MINUTES:
                    now = began + timedelta(minutes=minutes)
                    found = check(args.plimsoll, root, path, "--now",
                                  now.astimezone(timezone.utc).isoformat().replace("+00:00", "Z"))
                    if any(is_about(c, incident) and c["verdict"] in ("warn", "fail")
                           for c in found["checks"]):
                        took = minutes
                        break
                caught[kind].append((took, known))
        print(f"seed {seed}: " + ", ".join(f"{k} {caught[k][-1][0]}" for k in KINDS if caught[k]),
              flush=True)
    for kind, pairs in caught.items():
        if not pairs:
            continue
        minutes = sorted(float("inf") if took is None else took for took, _ in pairs)
        within = sum(took <= 15 for took in minutes)
        print(f"{kind}: {within} of {len(pairs)} within 15 minutes, "
              f"{sum(took <= 1440 for took in minutes)} within a day; "
              f"median {minutes[len(minutes) // 2]}, latest {minutes[-1]}")
        late = sorted(took - known for took, known in pairs if took and known)
        if late:
            print(f"  since {EXPECTED} were expected: median {late[len(late) // 2]}, "
                  f"from {late[0]} to {late[-1]} minutes")

def quiet(args, root):
    codes, said = Counter(), Counter()
    for seed in range(args.first, args.first + args.quiet):
        extra = ["--rate", str(args.rate), "--days", str(args.days)]
        path = demo(args.plimsoll, root, 1000 + seed, "none", extra + args.brief * ["--brief"])
        init(args.plimsoll, root, path)
        for moment in MOMENTS:
            code, found = run(args.plimsoll, root, path, *(["--now", moment] if moment else []))
            codes[code] += 1
            for c in found["checks"]:
                said[c["verdict"]] += 1
                if args.v and c["verdict"] != "pass":
                    print(seed, moment, c["id"], c["group"], c["verdict"], c["change_pct"],
                          c["interval"], c["p_value"], c["n"], c.get("window"), c["reason"])
    print(f"quiet: exit status {dict(codes)}; results {dict(said)}")

def healthy(args, root):
    failed, warned, rules, untold = 0, 0, Counter(), 0
    extra = ["--days", "14"]
    for seed in range(args.first, args.first + args.healthy):
        path = demo(args.plimsoll, root, 1000 + seed, "none", extra)
        options = ["-c", f"{HERE}/checks.toml"]
        if args.healthy_window:
            options += ["--window", args.healthy_window]
        found = check(args.plimsoll, root, path, *options)
        bad = [c for c in found["checks"] if c["verdict"] == "fail"]
        failed += bool(bad)
        warned += any(c["verdict"] == "warn" for c in found["checks"])
        untold += any(c["verdict"] == "inconclusive" for c in found["checks"])
        for c in bad:
            rules[c["id"]] += 1
            if args.v:
                print(seed, c["id"], c["group"], c["actual"], c["limit"], c["baseline"],
                      c["interval"], c["n"], c["reason"])
    print(f"healthy: {failed} of {args.healthy} weeks with a failed rule, {warned} with a warning, "
          f"{untold} with one that cannot be told; failed {dict(rules)}")

def main():
    args = argparse.ArgumentParser()
    args.add_argument("plimsoll")
    args.add_argument("--planted", type=int, default=20)
    args.add_argument("--quiet", type=int, default=20)
    args.add_argument("--brief", action="store_true", help="one record a request in quiet weeks")
    args.add_argument("--healthy", type=int, default=100)
    args.add_argument("--healthy-window", default="")
    args.add_argument("--first", type=int, default=1)
    args.add_argument("--rate", type=int, default=100_000)
    args.add_argument("--days", type=int, default=14)
    args.add_argument("-v", action="store_true")
    args = args.parse_args()
    args.plimsoll = os.path.abspath(args.plimsoll)
    with tempfile.TemporaryDirectory() as root:
        if args.planted:
            planted(args, root)
        if args.quiet:
            quiet(args, root)
        if args.healthy:
            healthy(args, root)

if __name__ == "__main__":
    main()
