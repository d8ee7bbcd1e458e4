-- help: Error messages that appeared for the first time near the end of the data
-- param: within_ms (integer, default 86400000): how near the end, milliseconds
-- param: top (integer, default 50): most messages to show
WITH errors AS (
  SELECT template, COUNT(*) AS events, MIN(ts_ms) AS first_ms, MIN(ts) AS first_ts
  FROM logs
  WHERE template IS NOT NULL AND (status >= 500 OR severity_number >= 17)
  GROUP BY template
)
SELECT template, events, first_ts
FROM errors CROSS JOIN (SELECT MAX(ts_ms) AS newest_ms FROM logs) AS whole
WHERE first_ms > newest_ms - :within_ms
ORDER BY events DESC, template
LIMIT :top
