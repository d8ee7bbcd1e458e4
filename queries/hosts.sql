-- help: Each host's requests, errors and latency
SELECT
  host,
  COUNT(*) AS events,
  COUNT(*) FILTER (WHERE status >= 500 OR severity_number >= 17) AS errors,
  quantile_cont(duration_ms, 0.5) AS p50_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms
FROM logs
WHERE host IS NOT NULL
GROUP BY host
ORDER BY host
