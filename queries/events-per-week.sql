-- help: Events of each kind in each week, Monday to Sunday
-- param: zone_ms (integer, default 0): the zone's offset from UTC, milliseconds (Buenos Aires: -10800000)
WITH local AS (
  SELECT event, user, ts, ts_ms + :zone_ms - 345600000 AS since_monday_ms
  FROM logs
  WHERE ts_ms IS NOT NULL AND event IS NOT NULL
)
SELECT
  since_monday_ms - since_monday_ms % 604800000 + 345600000 - :zone_ms AS week_ms,
  event,
  MIN(ts) AS first_ts,
  COUNT(*) AS events,
  COUNT(DISTINCT user) AS users
FROM local
GROUP BY since_monday_ms - since_monday_ms % 604800000 + 345600000 - :zone_ms, event
ORDER BY week_ms, event
