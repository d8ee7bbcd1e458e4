-- help: Requests, error ratio and latency of each route in each window
-- param: window_ms (integer, default 300000): width of the windows, milliseconds
SELECT
  route,
  ts_ms - ts_ms % :window_ms AS window_ms,
  COUNT(*) AS requests,
  AVG(CASE WHEN status >= 500 THEN CAST(1 AS DOUBLE) ELSE CAST(0 AS DOUBLE) END) AS error_ratio,
  quantile_cont(duration_ms, 0.5) AS p50_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms,
  quantile_cont(duration_ms, 0.99) AS p99_ms
FROM logs
WHERE ts_ms IS NOT NULL AND route IS NOT NULL
GROUP BY route, ts_ms - ts_ms % :window_ms
ORDER BY route, window_ms
