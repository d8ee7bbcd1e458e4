-- help: Share of requests that failed (status 500 and above) in each window
-- param: route (text, default all): one route, or `all`
-- param: window_ms (integer, default 300000): width of the windows, milliseconds
SELECT
  ts_ms - ts_ms % :window_ms AS window_ms,
  MIN(ts) AS first_ts,
  COUNT(*) AS requests,
  COUNT(*) FILTER (WHERE status >= 500) AS errors,
  AVG(CASE WHEN status >= 500 THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END) AS error_ratio
FROM logs
WHERE ts_ms IS NOT NULL AND status IS NOT NULL AND (:route = 'all' OR route = :route)
GROUP BY ts_ms - ts_ms % :window_ms
ORDER BY window_ms
