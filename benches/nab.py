#!/usr/bin/env python3
"""Turns the scores of `examples/nab.rs` into the figures of the Numenta Anomaly Benchmark.

usage: cargo run --release --example nab -- NAB/data OUT && benches/nab.py OUT NAB/labels [--loo]

OUT holds `<group>/<file>.csv` with the columns timestamp, value, anomaly_score; the labels are
`combined_windows.json`. One threshold for all files, for each profile the best one; `--loo` also
judges each file at the threshold that is best on the others.

The rules (NAB v1.1, Lavin & Ahmad 2015): the first 15 % of a file's rows, at most 750, are not
judged. With f(x) = 2/(1 + e^5x) - 1 a window of w rows pays for its best flagged row f(-k/w)/f(-1),
k counted from its end, and costs the profile's miss without one. A flagged row outside costs
f(d/(w - 1)) of the window d rows before, and 1 beyond three windows or before the first.
Scores run from 0 (nothing flagged) to 100 (every window's first row, nothing else).
"""
import csv, json, math, os, sys

# Weights of a missed window and of a false alarm; a hit weighs 1.
PROFILES = {"standard": (1.0, 0.11), "low FP": (1.0, 0.22), "low FN": (2.0, 0.11)}


def sigmoid(x):
    return 2.0 / (1.0 + math.exp(5.0 * x)) - 1.0


def judged_rows(file_id, path, windows):
    """(score, worth, window or None, file) of each row that is judged."""
    with open(path, newline="") as file:
        rows = [(row["timestamp"], float(row["anomaly_score"])) for row in csv.DictReader(file)]
    times = [time for time, _ in rows]
    probation = math.ceil(min(len(rows) * 15 // 100, 750))
    spans, start = [], 0
    for first, last in windows:
        first = times.index(first[:19], start)
        last = times.index(last[:19], first)
        spans.append((first, last))
        start = last + 1
    judged, passed = [], None
    for at, (_, score) in enumerate(rows):
        while spans and at > spans[0][1]:
            passed = spans.pop(0)
        if spans and at >= spans[0][0]:
            first, last = spans[0]
            worth = sigmoid(-(last - at + 1) / (last - first + 1)) / sigmoid(-1.0)
            window = (file_id, first)
        else:
            far = (at - passed[1]) / (passed[1] - passed[0]) if passed else math.inf
            worth, window = -1.0 if far > 3.0 else sigmoid(far), None
        if at >= probation:
            judged.append((score, worth, window, file_id))
    return judged


def raised(rows):
    """(threshold, hits, worth of hits, worth of false alarms), as the threshold falls."""
    best, hit_worth, false_worth = {}, 0.0, 0.0
    yield math.inf, 0, 0.0, 0.0
    for at, (score, worth, window, _) in enumerate(rows):
        if window is None:
            false_worth += worth
        else:
            hit_worth += max(0.0, worth - best.get(window, 0.0))
            best[window] = max(worth, best.get(window, 0.0))
        if at + 1 == len(rows) or rows[at + 1][0] != score:
            yield score, len(best), hit_worth, false_worth


def best_of(rows, profile):
    """(gain over flagging nothing, threshold, hits)."""
    miss, false = PROFILES[profile]
    return max((hit_worth + false * false_worth + miss * hits, threshold, hits)
               for threshold, hits, hit_worth, false_worth in raised(rows))


def gain_at(rows, threshold, profile):
    miss, false = PROFILES[profile]
    *_, (_, hits, hit_worth, false_worth) = raised([row for row in rows if row[0] >= threshold])
    return hit_worth + false * false_worth + miss * hits


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__.split("\n\n")[1])
    out, labels = sys.argv[1:3]
    if os.path.isdir(labels):
        labels = os.path.join(labels, "combined_windows.json")
    with open(labels) as file:
        windows = json.load(file)
    missing = [name for name in windows if not os.path.exists(os.path.join(out, name))]
    if missing:
        sys.exit(f"error: {len(missing)} of {len(windows)} files are not in {out},"
                 f" first {missing[0]}: run the example on the same data")
    rows = [row for name in windows
            for row in judged_rows(name, os.path.join(out, name), windows[name])]
    rows.sort(key=lambda row: -row[0])
    window_count = sum(map(len, windows.values()))
    print(f"{len(windows)} files, {window_count} windows")
    for profile, (miss, _) in PROFILES.items():
        whole = 100.0 / (window_count * (1.0 + miss))
        gain, threshold, hits = best_of(rows, profile)
        false_count = sum(row[0] >= threshold and row[2] is None for row in rows)
        line = (f"{profile:9} {gain * whole:7.3f}  threshold {threshold:.6f},"
                f" {hits} hit, {false_count} rows outside")
        if "--loo" in sys.argv:
            left_out = 0.0
            for name in windows:
                others = [row for row in rows if row[3] != name]
                own = [row for row in rows if row[3] == name]
                left_out += gain_at(own, best_of(others, profile)[1], profile)
            line += f"; threshold from the other files {left_out * whole:.3f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
