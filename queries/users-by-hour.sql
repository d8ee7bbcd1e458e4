-- help: Different users of each hour
-- param: event (text, default all): one event, such as `report.submitted`, or `all`
SELECT
  ts_ms - ts_ms % 3600000 AS hour_ms,
  MIN(ts) AS first_ts,
  COUNT(DISTINCT user) AS users,
  COUNT(*) AS events
FROM logs
WHERE ts_ms IS NOT NULL AND user IS NOT NULL AND (:event = 'all' OR event = :event)
GROUP BY ts_ms - ts_ms % 3600000
ORDER BY hour_ms
