-- help: Submitted reports of each subject, and by how many students
-- param: event (text, default report.submitted): the event's name
SELECT
  academic.subject AS subject,
  COUNT(*) AS submissions,
  COUNT(DISTINCT student.id) AS students,
  MIN(ts) AS first_ts,
  MAX(ts) AS last_ts
FROM logs
WHERE event = :event AND academic.subject IS NOT NULL
GROUP BY academic.subject
ORDER BY submissions DESC, subject
