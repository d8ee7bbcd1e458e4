-- help: Failed sign-ins of each window, and how many users they touched
-- param: event (text, default auth.failure): the event's name
-- param: window_ms (integer, default 3600000): width of the windows, milliseconds
SELECT
  ts_ms - ts_ms % :window_ms AS window_ms,
  MIN(ts) AS first_ts,
  COUNT(*) AS failures,
  COUNT(DISTINCT user) AS users
FROM logs
WHERE ts_ms IS NOT NULL AND event = :event
GROUP BY ts_ms - ts_ms % :window_ms
ORDER BY window_ms
