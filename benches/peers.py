#!/usr/bin/env python3
"""The reference question in chdb and polars against plimsoll, on well-formed NDJSON.

usage: benches/peers.py PLIMSOLL FILE.ndjson [RUNS]   (needs the PyPI packages chdb and polars)

Both refuse malformed records or stop at them, so FILE must have none. Alternating runs; prints
the least CPU seconds, the greatest peak memory and plimsoll's share of each peer's CPU.
"""
import os, subprocess, sys

from reference import SQL, measured

PEERS = {
    "polars": """import sys, polars as pl
(pl.scan_ndjson(sys.argv[1], ignore_errors=True, schema={'ts': pl.String, 'route': pl.String,
   'status': pl.Int64, 'duration_ms': pl.Float64})
 .with_columns(pl.col('ts').str.to_datetime('%Y-%m-%dT%H:%M:%S%.fZ', strict=False)
   .dt.truncate('5m').alias('b'))
 .group_by('route', 'b').agg(pl.len(), (pl.col('status') >= 500).mean(),
   *[pl.col('duration_ms').quantile(q, 'linear').alias(str(q)) for q in (0.5, 0.95, 0.99)])
 .collect(engine='streaming'))""",
    "chdb": """import sys, chdb
chdb.query(f'''SELECT route, toStartOfInterval(ts, INTERVAL 5 MINUTE) b, count(), avg(status >= 500),
 quantilesExactInclusive(0.5, 0.95, 0.99)(duration_ms)
 FROM file('{sys.argv[1]}', 'JSONEachRow',
   'ts DateTime64(3), route String, status Int32, duration_ms Float64') GROUP BY route, b
 SETTINGS input_format_skip_unknown_fields=1, date_time_input_format='best_effort',
   max_threads=2''', 'CSV')""",
}


def main():
    plimsoll, path = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    os.environ["POLARS_MAX_THREADS"] = "2"
    commands = {"query": [plimsoll, "query", path, SQL, "-o", "json"],
                "report": [plimsoll, "report", path, "-o", "json", "--window", "5m"]}
    commands |= {name: [sys.executable, "-c", code, path] for name, code in PEERS.items()}
    cpu, peak = {}, {}
    for _ in range(runs):
        for name, command in commands.items():
            _, seconds, mib = measured(command)
            cpu[name] = min(cpu.get(name, 1e9), seconds)
            peak[name] = max(peak.get(name, 0), mib)
    for name in commands:
        shares = "  ".join(f"{cpu[name] / cpu[peer]:5.2f} x {peer}" for peer in PEERS)
        print(f"{name:8} {cpu[name]:6.2f} CPU-s  {shares}  {peak[name]:6.0f} MiB")


if __name__ == "__main__":
    main()
