-- help: Each version's span, requests, errors and latency, in order of appearance
-- param: route (text, default all): one route, or `all`
SELECT
  version,
  MIN(ts) AS first_ts,
  MAX(ts) AS last_ts,
  COUNT(*) AS events,
  COUNT(*) FILTER (WHERE status >= 500) AS errors,
  quantile_cont(duration_ms, 0.5) AS p50_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms
FROM logs
WHERE version IS NOT NULL AND (:route = 'all' OR route = :route)
GROUP BY version
ORDER BY first_ts, version
