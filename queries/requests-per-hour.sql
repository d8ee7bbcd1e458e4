-- help: Requests, errors and latency of each hour
-- param: route (text, default all): one route, or `all`
SELECT
  ts_ms - ts_ms % 3600000 AS hour_ms,
  MIN(ts) AS first_ts,
  COUNT(*) AS requests,
  COUNT(*) FILTER (WHERE status >= 500) AS errors,
  quantile_cont(duration_ms, 0.5) AS p50_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms
FROM logs
WHERE ts_ms IS NOT NULL AND route IS NOT NULL AND (:route = 'all' OR route = :route)
GROUP BY ts_ms - ts_ms % 3600000
ORDER BY hour_ms
