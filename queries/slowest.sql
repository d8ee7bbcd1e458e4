-- help: The slowest requests, with what is needed to find them again
-- param: route (text, default all): one route, or `all`
-- param: top (integer, default 20): how many
SELECT duration_ms, ts, method, route, path, status, version, request_id, trace_id
FROM logs
WHERE duration_ms IS NOT NULL AND (:route = 'all' OR route = :route)
ORDER BY duration_ms DESC, ts
LIMIT :top
