#!/usr/bin/env python3
"""How soon planted incidents are caught by the rules that `init` writes, and false alarms.

usage: benches/checks.py PLIMSOLL [--planted N] [--healthy N] [--rate REQUESTS] [--first SEED]

Planted: for each seed and kind of incident a demo data set is written, `init` writes the rules,
and `check` is asked at moments after the beginning of the incident, with the window given here.
Healthy: 100 weeks without an incident are judged by the twenty rules of benches/checks.toml.
"""
import argparse, json, os, subprocess, tempfile
from collections import Counter
from datetime import datetime, timedelta, timezone

KINDS = ["slow-route", "errors", "signin-failures", "submissions-drop"]
MINUTES = [5, 10, 15, 30, 60, 120, 360, 720, 1440]
HERE = os.path.dirname(os.path.abspath(__file__))

def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))

def demo(plimsoll, root, seed, incident, extra):
    path = f"{root}/demo"
    subprocess.run(["rm", "-rf", path], check=True)
    subprocess.run([plimsoll, "demo", path, "--seed", str(seed), "--incident", incident, *extra],
                   check=True, capture_output=True)
    return path

def check(plimsoll, root, path, *options):
    out = subprocess.run([plimsoll, "check", path, "-o", "json", "--exit-zero", *options],
                         cwd=root, capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(out.stderr)
    return json.loads(out.stdout)

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
            config = f"{root}/plimsoll.toml"
            if os.path.exists(config):
                os.remove(config)
            subprocess.run([args.plimsoll, "init", f"{path}/logs"], cwd=root, check=True,
                           capture_output=True)
            for incident in truth["incidents"]:
                took = None
                for minutes in MINUTES:
                    now = at(incident["from"]) + timedelta(minutes=minutes)
                    window = f"{max(minutes, args.window)}m"
                    found = check(args.plimsoll, root, path, "--window", window, "--now",
                                  now.astimezone(timezone.utc).isoformat().replace("+00:00", "Z"))
                    if any(is_about(c, incident) and c["verdict"] in ("warn", "fail")
                           for c in found["checks"]):
                        took = minutes
                        break
                caught[kind].append(took)
        print(f"seed {seed}: " + ", ".join(f"{k} {caught[k][-1]}" for k in KINDS if caught[k]),
              flush=True)
    for kind, minutes in caught.items():
        within = sum(m is not None and m <= 15 for m in minutes)
        print(f"{kind}: {within} of {len(minutes)} within 15 minutes, "
              f"{sum(m is not None for m in minutes)} within a day")

def healthy(args, root):
    failed, warned, rules, untold = 0, 0, Counter(), 0
    extra = ["--days", "14"]
    for seed in range(args.first, args.first + args.healthy):
        path = demo(args.plimsoll, root, 1000 + seed, "none", extra)
        options = ["-c", f"{HERE}/checks.toml"] + (["--window", args.healthy_window] if args.healthy_window else [])
        found = check(args.plimsoll, root, path, *options)
        bad = [c for c in found["checks"] if c["verdict"] == "fail"]
        failed += bool(bad)
        warned += any(c["verdict"] == "warn" for c in found["checks"])
        untold += any(c["verdict"] == "inconclusive" for c in found["checks"])
        for c in bad:
            rules[c["id"]] += 1
            if args.v:
                print(seed, c["id"], c["group"], c["actual"], c["limit"], c["baseline"], c["interval"], c["n"], c["reason"])
    print(f"healthy: {failed} of {args.healthy} weeks with a failed rule, {warned} with a warning, "
          f"{untold} with one that cannot be told; failed {dict(rules)}")

def main():
    args = argparse.ArgumentParser()
    args.add_argument("plimsoll")
    args.add_argument("--planted", type=int, default=20)
    args.add_argument("--healthy", type=int, default=100)
    args.add_argument("--healthy-window", default="")
    args.add_argument("--first", type=int, default=1)
    args.add_argument("--rate", type=int, default=100_000)
    args.add_argument("--days", type=int, default=14)
    args.add_argument("--window", type=int, default=15)
    args.add_argument("-v", action="store_true")
    args = args.parse_args()
    args.plimsoll = os.path.abspath(args.plimsoll)
    with tempfile.TemporaryDirectory() as root:
        if args.planted:
            planted(args, root)
        if args.healthy:
            healthy(args, root)

if __name__ == "__main__":
    main()
