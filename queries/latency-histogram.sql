-- help: Requests by duration, in classes each twice as wide as the one before
-- param: route (text, default all): one route, or `all`
SELECT
  CASE WHEN duration_ms < 1 THEN CAST(0 AS DOUBLE) ELSE POWER(CAST(2 AS DOUBLE), FLOOR(LOG2(duration_ms))) END AS from_ms,
  COUNT(*) AS requests,
  COUNT(*) FILTER (WHERE status >= 500) AS errors
FROM logs
WHERE duration_ms IS NOT NULL AND (:route = 'all' OR route = :route)
GROUP BY CASE WHEN duration_ms < 1 THEN CAST(0 AS DOUBLE) ELSE POWER(CAST(2 AS DOUBLE), FLOOR(LOG2(duration_ms))) END
ORDER BY from_ms
