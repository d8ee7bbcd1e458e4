-- help: Message templates, most frequent first
-- param: top (integer, default 50): most templates to show
WITH known AS (
  SELECT
    template,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE severity_number >= 17) AS errors,
    MIN(ts) AS first_ts,
    MAX(ts) AS last_ts
  FROM logs
  WHERE template IS NOT NULL
  GROUP BY template
)
SELECT template, events, events / CAST(all_events AS DOUBLE) AS share, errors, first_ts, last_ts
FROM known CROSS JOIN (SELECT SUM(events) AS all_events FROM known) AS whole
ORDER BY events DESC, template
LIMIT :top
