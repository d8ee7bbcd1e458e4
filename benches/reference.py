#!/usr/bin/env python3
"""The reference question against DuckDB, on NDJSON with ts, route, status and duration_ms.

usage: benches/reference.py PLIMSOLL FILE.ndjson [RUNS [FUSED]]   (needs the PyPI package duckdb)

FUSED is the executable that `cargo bench --bench fused --no-run` makes.

Count, error rate and exact p50, p95 and p99 by route and 5-minute window: through `report -o
json`, through `query`, and with DuckDB on two threads, alternating. Prints CPU seconds, peak
memory and ratios, and fails when a number differs by more than 1e-9.
"""
import json, os, resource, subprocess, sys

SQL = """SELECT route, ts_ms - ts_ms % 300000 AS bucket, COUNT(*) AS n,
 AVG(CASE WHEN status >= 500 THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END) AS er,
 quantile_cont(duration_ms, 0.5) AS p50, quantile_cont(duration_ms, 0.95) AS p95,
 quantile_cont(duration_ms, 0.99) AS p99
 FROM logs GROUP BY route, ts_ms - ts_ms % 300000"""
DUCK = """import duckdb, json, sys
con = duckdb.connect(); con.execute("SET threads=2"); con.execute("SET enable_progress_bar=false")
rows = con.execute('''SELECT route, epoch_ms(time_bucket(INTERVAL 5 MINUTE, ts)) b, count(*) n,
 avg(CASE WHEN status>=500 THEN 1.0 ELSE 0 END), quantile_cont(duration_ms, 0.5),
 quantile_cont(duration_ms, 0.95), quantile_cont(duration_ms, 0.99)
 FROM read_json(?, format='newline_delimited', ignore_errors=true,
 columns={ts:'TIMESTAMP', route:'VARCHAR', status:'INTEGER', duration_ms:'DOUBLE'})
 WHERE route IS NOT NULL GROUP BY ALL''', [sys.argv[1]]).fetchall()
json.dump(rows, sys.stdout)"""

def measured(command):
    """Output, CPU seconds and peak MiB of a command."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 1), command
    return out, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

def of_report(out):
    return {(d["route"], w["start_us"] // 1000):
            (w["n"], w["error_ratio"], w["p50_ms"], w["p95_ms"], w["p99_ms"])
            for d in json.loads(out)["details"] for w in d["windows"]}

def of_query(out):
    return {(r["route"], r["bucket"]): (r["n"], r["er"], r["p50"], r["p95"], r["p99"])
            for r in json.loads(out)}

def of_duckdb(out):
    return {(r[0], r[1]): tuple(r[2:]) for r in json.loads(out)}

def compare(name, got, want):
    """Routes as plimsoll names them; DuckDB's are the same here, ids being masked already."""
    assert got.keys() == want.keys(), f"{name}: {len(got)} groups, {len(want)} expected"
    worst = max(abs(g - w) / max(1.0, abs(w)) for key in got for g, w in zip(got[key], want[key]))
    assert worst <= 1e-9, f"{name}: differs by {worst}"
    print(f"{name}: {len(got)} groups equal, greatest difference {worst:.1e}")

def main():
    plimsoll, path = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    commands = {
        "report": ([plimsoll, "report", path, "-o", "json", "--window", "5m"], of_report),
        "query": ([plimsoll, "query", path, SQL, "-o", "json"], of_query),
        "duckdb": ([sys.executable, "-c", DUCK, path], of_duckdb),
    }
    if len(sys.argv) > 4:
        commands["fused"] = ([sys.argv[4], path], of_query)
    cpu, peak, answers = {}, {}, {}
    for _ in range(runs):
        for name, (command, read) in commands.items():
            out, seconds, mib = measured(command)
            cpu[name] = min(cpu.get(name, 1e9), seconds)
            peak[name] = max(peak.get(name, 0), mib)
            answers[name] = read(out)
    for name in commands.keys() - {"duckdb"}:
        compare(name, answers[name], answers["duckdb"])
    for name in commands:
        print(f"{name:8} {cpu[name]:6.2f} CPU-s  {cpu[name] / cpu['duckdb']:5.2f} x DuckDB  {peak[name]:6.0f} MiB")

if __name__ == "__main__":
    main()
