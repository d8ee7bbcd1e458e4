//! Names of fields and keys that mean the same in many logs, whoever wrote them.

use super::profile::Role::{
    self, Deployment, Environment, Event, Host, Level, Message, Method, ParentSpanId, RequestId,
    Route, Service, SpanId, Status, Time, TraceId, User, Version,
};

/// Field names that mean the same in many logs, best first.
pub(super) const POOLS: &[(Role, &[&str])] = &[
    (
        Time,
        &[
            "ts",
            "time",
            "timestamp",
            "@timestamp",
            "datetime",
            "eventTime",
            "event_time",
            "asctime",
            "date",
            "t",
            "createdAt",
            "created_at",
            "submittedAt",
            "log.time",
        ],
    ),
    (
        Level,
        &[
            "level",
            "lvl",
            "severity",
            "log.level",
            "levelname",
            "loglevel",
            "PRIORITY",
            "severityText",
        ],
    ),
    (Message, &["msg", "message", "MESSAGE", "body", "event", "text", "log"]),
    (
        Status,
        &[
            "status",
            "status_code",
            "statusCode",
            "http.status_code",
            "http.response.status_code",
            "http.status",
            "res.statusCode",
            "response.status",
            "code",
        ],
    ),
    (
        Route,
        &[
            "http.route",
            "route",
            "endpoint",
            "path",
            "url.path",
            "http.path",
            "http.target",
            "req.url",
            "request.uri",
            "request.path",
            "uri",
            "url",
            "http.url",
            "handler",
            "operation",
            "step",
            "span.name",
        ],
    ),
    (
        Method,
        &["method", "http.method", "http.request.method", "req.method", "verb", "request_method"],
    ),
    (
        Version,
        &[
            "service.version",
            "version",
            "release",
            "commit",
            "deploymentId",
            "deploy",
            "deployment",
            "deployment_id",
            "app_version",
            "git_sha",
            "revision",
            "build",
        ],
    ),
    (Service, &["service.name", "service", "app", "application", "component"]),
    (Host, &["host.name", "hostname", "host", "instance", "pod"]),
    (Environment, &["environment", "env", "deployment.environment", "stage"]),
    (Deployment, &["deployment", "deploymentId", "deployment_id"]),
    (Event, &["event.name", "eventName", "event"]),
    (TraceId, &["trace_id", "traceId", "trace.id"]),
    (SpanId, &["span_id", "spanId", "span.id"]),
    (ParentSpanId, &["parent_span_id", "parentSpanId", "parent.id"]),
    (
        RequestId,
        &["request_id", "requestId", "req_id", "reqId", "req.id", "request.id", "correlation_id"],
    ),
    (User, &["user.id", "user_id", "userId", "user.name", "user", "username", "email"]),
];

/// Last names of nested fields that mean the same wherever they stand, such as
/// `contextMap.status`; looked at only where nothing else was found.
pub(super) const NESTED: &[(Role, &[&str])] = &[
    (Status, &["status", "status_code", "statusCode"]),
    (Route, &["route", "path", "uri", "url"]),
    (Method, &["method"]),
    (RequestId, &["request_id", "requestId", "req_id"]),
    (Version, &["version"]),
];

/// Keys that many writers use: they tell little about the shape.
pub(super) const COMMON_KEYS: &[&str] =
    &["level", "time", "timestamp", "ts", "msg", "message", "event", "pid", "source"];

/// Names of duration fields, best first; the unit comes from the name, the value or a guess.
pub(super) const DURATION_POOL: &[&str] = &[
    "duration",
    "durationMs",
    "duration_ms",
    "elapsed",
    "elapsed_ms",
    "latency",
    "latency_ms",
    "responseTime",
    "response_time",
    "response_time_ms",
    "took",
    "took_ms",
    "request_time",
    "duration_s",
    "duration_us",
    "duration_ns",
    "duration_seconds",
    "elapsedMs",
    "latencyMs",
    "elapsed_s",
    "time_taken",
    "timeTaken",
    "http.duration",
    "http.duration_ms",
    "req.duration",
    "totalCheckTime",
    "contextMap.durationMs",
];

/// Keys under which a document keeps its list of events.
pub(super) const LIST_KEYS: &[&str] =
    &["reports", "records", "events", "entries", "items", "logs", "results", "tests", "Records"];
