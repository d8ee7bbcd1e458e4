#!/usr/bin/env python3
"""Planted incidents found, and false alarms, over many demo seeds.

usage: benches/seeds.py PLIMSOLL [--planted N] [--healthy N] [--first SEED]

For each seed a demo data set is written and reported on. With incidents, every one of truth.json
must be among the findings, dated within one window of the finding's series, and linked to the
right deploy. Without, the share of reports that are not Healthy is printed.
"""
import argparse, json, subprocess, tempfile
from datetime import datetime

def at(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

def report(plimsoll, root, seed, incident):
    demo = f"{root}/demo"
    subprocess.run(["rm", "-rf", demo], check=True)
    subprocess.run([plimsoll, "demo", demo, "--seed", str(seed), "--incident", incident],
                   check=True, capture_output=True)
    out = subprocess.run([plimsoll, "report", demo, "-o", "json", "--exit-zero",
                          "--timezone", "America/Argentina/Buenos_Aires"],
                         check=True, capture_output=True)
    return json.loads(out.stdout), json.load(open(f"{demo}/truth.json"))

def matches(finding, incident):
    kind, group = finding["kind"], finding["group"]
    if incident["kind"] == "slow-route":
        return kind == "latency" and group.get("route") == incident["route"]
    if incident["kind"] == "errors":
        return kind == "error_rate"
    wanted = "event_drop" if incident["kind"] == "submissions-drop" else "event_rise"
    return kind == wanted and incident["event"] in group.get("event", "")

def judge(found, incident):
    """What is wrong with how an incident was found; empty when nothing is."""
    hits = [f for f in found["findings"] if matches(f, incident)]
    if not hits:
        return ["missed"]
    best = hits[0]
    wrong, since = [], best["since"]
    # Dated within one bucket of the report's charts, or of the finding's own windows.
    step = max(found["method"]["window_s"], best["series"]["step_s"])
    off = at(since["at"]) - at(incident["from"])
    if abs(off) > step:
        wrong.append(f"dated {off/3600:+.1f} h off (bucket {step/3600:.1f} h)")
    if best["verdict"] != incident["expected_verdict"]:
        wrong.append(f"verdict {best['verdict']}")
    if incident.get("deploy"):
        linked = (best["linked_event"] or {}).get("name")
        if linked != incident["deploy"]:
            wrong.append(f"deploy {linked} instead of {incident['deploy']}")
    return wrong

def main():
    args = argparse.ArgumentParser()
    args.add_argument("plimsoll")
    args.add_argument("--planted", type=int, default=20)
    args.add_argument("--healthy", type=int, default=100)
    args.add_argument("--first", type=int, default=1)
    args.add_argument("-v", action="store_true")
    args = args.parse_args()
    with tempfile.TemporaryDirectory() as root:
        planted = wrong = extra = 0
        for seed in range(args.first, args.first + args.planted):
            found, truth = report(args.plimsoll, root, seed, "all")
            for incident in truth["incidents"]:
                planted += 1
                problems = judge(found, incident)
                wrong += bool(problems)
                if problems:
                    print(f"seed {seed} {incident['kind']} ({incident.get('route') or incident.get('event')}, "
                          f"from {incident['from']}): {'; '.join(problems)}", flush=True)
            others = [f for f in found["findings"] if f["verdict"] in ("fail", "warn")
                      and not any(matches(f, i) for i in truth["incidents"])]
            extra += len(others)
            if args.v:
                for f in others:
                    print(f"  seed {seed} also: {f['kind']} {f['group']} {f['verdict']} {f['since']['at']} {f['confidence_why']}")
        print(f"planted: {planted} incidents, {planted - wrong} found, dated and linked right; "
              f"{extra} other findings")
        not_healthy = 0
        for seed in range(args.first, args.first + args.healthy):
            found, _ = report(args.plimsoll, root, seed, "none")
            if found["verdict"] != "pass":
                not_healthy += 1
                for f in found["findings"]:
                    print(f"seed {seed} {found['verdict']}: {f['kind']} {f['group']} {f['verdict']} "
                          f"{f['change']['before']:.4g}->{f['change']['after']:.4g} {f['since']['at']} {f['until']} {f['confidence_why']}", flush=True)
        if args.healthy:
            print(f"healthy: {not_healthy} of {args.healthy} reports are not Healthy")

main()
