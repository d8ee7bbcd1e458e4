-- help: Requests by status, with each status's share
-- param: route (text, default all): one route, or `all`
WITH mix AS (
  SELECT status, COUNT(*) AS requests
  FROM logs
  WHERE status IS NOT NULL AND (:route = 'all' OR route = :route)
  GROUP BY status
)
SELECT status, requests, requests / CAST(all_requests AS DOUBLE) AS share
FROM mix CROSS JOIN (SELECT SUM(requests) AS all_requests FROM mix) AS whole
ORDER BY status
