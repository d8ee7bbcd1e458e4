-- help: Every record of one request or trace, in order of time
-- param: id (text): the request's or the trace's id
SELECT ts, severity, service, route, status, duration_ms, span_id, message
FROM logs
WHERE request_id = :id OR trace_id = :id
ORDER BY ts
