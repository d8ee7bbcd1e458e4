-- help: Latency of each route, slowest first by its 95th percentile
-- param: min_requests (integer, default 20): leave out routes with fewer
-- param: top (integer, default 50): most routes to show
SELECT
  route,
  COUNT(duration_ms) AS requests,
  quantile_cont(duration_ms, 0.5) AS p50_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms,
  quantile_cont(duration_ms, 0.99) AS p99_ms,
  MAX(duration_ms) AS max_ms,
  SUM(duration_ms) AS total_ms
FROM logs
WHERE route IS NOT NULL AND duration_ms IS NOT NULL
GROUP BY route
HAVING COUNT(duration_ms) >= :min_requests
ORDER BY p95_ms DESC, route
LIMIT :top
