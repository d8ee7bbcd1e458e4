-- help: Events, errors and users of each window
-- param: route (text, default all): one route, or `all`
-- param: window_ms (integer, default 300000): width of the windows, milliseconds
SELECT
  ts_ms - ts_ms % :window_ms AS window_ms,
  MIN(ts) AS first_ts,
  COUNT(*) AS events,
  COUNT(*) FILTER (WHERE status >= 500 OR severity_number >= 17) AS errors,
  COUNT(DISTINCT user) AS users
FROM logs
WHERE ts_ms IS NOT NULL AND (:route = 'all' OR route = :route)
GROUP BY ts_ms - ts_ms % :window_ms
ORDER BY window_ms
