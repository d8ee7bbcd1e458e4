//! The known shapes of JSON logs.
//!
//! Data only; `detect` decides. A shape is told by keys that its writer always sets together.

use super::profile::{LevelScale, Role};
use super::unit::DurationUnit;

/// A known writer of JSON records.
pub(super) struct Shape {
    /// Short name, as in the fixtures' `expected.json`.
    pub(super) name: &'static str,
    /// Keys that nearly every record of this shape has; more keys make a better match.
    pub(super) keys: &'static [&'static str],
    /// At least one of these too, where the keys alone do not tell; empty means no such need.
    pub(super) any_of: &'static [&'static str],
    /// Keys that speak against it.
    pub(super) none_of: &'static [&'static str],
    /// Fields by role, best first. What is not named here comes from [`POOLS`](super::pools::POOLS).
    pub(super) fields: &'static [(Role, &'static [&'static str])],
    /// Duration fields with the unit of a bare number.
    pub(super) durations: &'static [(&'static str, DurationUnit)],
    /// Beginning and end whose difference is the duration.
    pub(super) spans: &'static [(&'static str, &'static str)],
    /// Field and value of the records that have a duration; `None` = all that have the fields.
    pub(super) timed_when: Option<(&'static str, &'static str)>,
    /// Field with the nanoseconds of a time in whole seconds.
    pub(super) nanos_of_second: Option<&'static str>,
    /// How level numbers are read.
    pub(super) level_scale: LevelScale,
    /// Whether the message text tells what fields do not.
    pub(super) reads_messages: bool,
    /// Event name of records that name none.
    pub(super) default_event: Option<&'static str>,
    /// Roles that this shape has no field for although a pool name occurs in it.
    pub(super) without: &'static [Role],
}

const ANY: Shape = Shape {
    name: "json",
    keys: &[],
    any_of: &[],
    none_of: &[],
    fields: &[],
    durations: &[],
    spans: &[],
    timed_when: None,
    nanos_of_second: None,
    level_scale: LevelScale::Text,
    reads_messages: false,
    default_event: None,
    without: &[],
};

use DurationUnit::{Ms, Ns, S};
use Role::{
    Deployment, Environment, Event, Host, Level, Message, Method, ParentSpanId, RequestId, Route,
    Service, SpanId, Status, Time, TraceId, User, Version,
};

/// Known shapes; the one with the most matching keys wins, the earlier one at a tie.
pub(super) const SHAPES: &[Shape] = &[
    Shape {
        name: "vercel-drain",
        keys: &["source", "deploymentId", "timestamp"],
        any_of: &["projectId", "requestId", "proxy.path", "host"],
        fields: &[
            (Time, &["timestamp"]),
            (Level, &["level", "type"]),
            (Message, &["message"]),
            (Status, &["statusCode", "proxy.statusCode"]),
            (Route, &["proxy.path", "path"]),
            (Method, &["proxy.method"]),
            (RequestId, &["requestId"]),
            (TraceId, &["trace.id", "traceId"]),
            (Version, &["deploymentId"]),
            (Deployment, &["deploymentId"]),
            (Service, &["projectName", "projectId"]),
            (Host, &["proxy.host", "host"]),
        ],
        reads_messages: true,
        ..ANY
    },
    Shape {
        name: "bunyan",
        keys: &["v", "name", "hostname", "pid", "level", "time"],
        fields: &[(Service, &["name"]), (Host, &["hostname"])],
        durations: &[("latency", Ms), ("dur", Ms), ("duration", Ms)],
        level_scale: LevelScale::Pino,
        ..ANY
    },
    Shape {
        name: "pino",
        keys: &["level", "time", "pid", "hostname"],
        none_of: &["v"],
        fields: &[
            (Status, &["res.statusCode"]),
            (Route, &["req.routePath", "req.route", "req.url"]),
            (Method, &["req.method"]),
            (RequestId, &["reqId", "req.id"]),
            (Host, &["hostname"]),
            (Service, &["name"]),
        ],
        durations: &[("responseTime", Ms)],
        level_scale: LevelScale::Pino,
        ..ANY
    },
    Shape {
        name: "tracing",
        keys: &["timestamp", "level", "target"],
        any_of: &["fields.message", "fields", "span.name", "spans", "filename", "threadId"],
        fields: &[
            (Message, &["fields.message", "message"]),
            (Route, &["fields.route", "span.route", "span.name"]),
            (Status, &["fields.status", "span.status"]),
        ],
        durations: &[("fields.time.busy", Ms), ("time.busy", Ms)],
        ..ANY
    },
    Shape {
        name: "ecs",
        keys: &["@timestamp", "log.level"],
        any_of: &["ecs.version", "event.duration", "message"],
        fields: &[
            (Status, &["http.response.status_code"]),
            (Route, &["url.path", "transaction.name"]),
            (Method, &["http.request.method"]),
            (TraceId, &["trace.id"]),
            (SpanId, &["span.id"]),
            (RequestId, &["transaction.id"]),
            (Event, &["event.action"]),
        ],
        durations: &[("event.duration", Ns)],
        ..ANY
    },
    Shape {
        name: "otlp-log",
        keys: &["timeUnixNano"],
        any_of: &["body.stringValue", "severityNumber", "severityText", "body"],
        fields: &[
            (Time, &["timeUnixNano", "observedTimeUnixNano"]),
            (Level, &["severityNumber", "severityText"]),
            (Message, &["body.stringValue", "body"]),
            (Status, &["attributes.http.response.status_code", "attributes.http.status_code"]),
            (Route, &["attributes.http.route", "attributes.url.path", "attributes.http.target"]),
            (Method, &["attributes.http.request.method", "attributes.http.method"]),
            (TraceId, &["traceId"]),
            (SpanId, &["spanId"]),
            (Event, &["eventName", "attributes.event.name"]),
            (Service, &["resource.service.name"]),
            (Version, &["resource.service.version"]),
            (Host, &["resource.host.name"]),
            (Environment, &["resource.deployment.environment.name"]),
        ],
        durations: &[
            ("attributes.http.server.request.duration", S),
            ("attributes.duration_ms", Ms),
        ],
        ..ANY
    },
    Shape {
        name: "otlp-span",
        keys: &["startTimeUnixNano", "endTimeUnixNano"],
        any_of: &["name", "spanId"],
        fields: &[
            (Time, &["startTimeUnixNano"]),
            (Level, &["status.code"]),
            (Message, &["name"]),
            (Status, &["attributes.http.response.status_code", "attributes.http.status_code"]),
            (Route, &["attributes.http.route", "attributes.url.path", "name"]),
            (Method, &["attributes.http.request.method", "attributes.http.method"]),
            (TraceId, &["traceId"]),
            (SpanId, &["spanId"]),
            (ParentSpanId, &["parentSpanId"]),
            (Service, &["resource.service.name"]),
            (Version, &["resource.service.version"]),
            (Host, &["resource.host.name"]),
        ],
        spans: &[("startTimeUnixNano", "endTimeUnixNano")],
        level_scale: LevelScale::SpanStatus,
        ..ANY
    },
    Shape {
        name: "caddy",
        keys: &["ts", "level", "logger", "msg"],
        any_of: &["request.uri", "request.method"],
        fields: &[
            (Route, &["request.uri"]),
            (Method, &["request.method"]),
            (Status, &["status"]),
            (Host, &["request.host"]),
            (RequestId, &["request_id", "uuid"]),
        ],
        durations: &[("duration", S)],
        ..ANY
    },
    Shape {
        name: "nginx-json",
        keys: &["request_time", "status"],
        any_of: &["time_iso8601", "msec", "time_local", "remote_addr", "upstream_response_time"],
        fields: &[
            (Time, &["msec", "time_iso8601", "time_local", "time"]),
            (Route, &["uri", "request_uri", "request"]),
            (Method, &["request_method", "method"]),
            (RequestId, &["request_id"]),
        ],
        durations: &[("request_time", S), ("upstream_response_time", S)],
        without: &[Message],
        ..ANY
    },
    Shape {
        name: "traefik",
        keys: &["DownstreamStatus", "RequestPath"],
        fields: &[
            (Time, &["StartUTC", "time"]),
            (Status, &["DownstreamStatus", "OriginStatus"]),
            (Route, &["RequestPath"]),
            (Method, &["RequestMethod"]),
            (Service, &["ServiceName"]),
            (Host, &["RequestHost"]),
        ],
        durations: &[("Duration", Ns)],
        ..ANY
    },
    Shape {
        name: "postgres",
        keys: &["timestamp", "error_severity", "pid"],
        any_of: &["backend_type", "session_id", "line_num"],
        fields: &[
            (Level, &["error_severity"]),
            (Message, &["message"]),
            (Route, &["ps"]),
            (User, &["user"]),
            (RequestId, &["session_id"]),
            (Service, &["dbname"]),
        ],
        reads_messages: true,
        without: &[Status, Event],
        ..ANY
    },
    Shape {
        name: "mongodb",
        keys: &["t.$date", "s", "c", "msg"],
        fields: &[
            (Time, &["t.$date"]),
            (Level, &["s"]),
            (Route, &["attr.ns", "c"]),
            (RequestId, &["ctx"]),
        ],
        durations: &[("attr.durationMillis", Ms)],
        without: &[Status],
        ..ANY
    },
    Shape {
        name: "k8s-audit",
        keys: &["stageTimestamp", "auditID"],
        fields: &[
            (Time, &["stageTimestamp"]),
            (Message, &["requestURI"]),
            (Status, &["responseStatus.code"]),
            (Route, &["requestURI"]),
            (Method, &["verb"]),
            (RequestId, &["auditID"]),
            (User, &["user.username"]),
        ],
        spans: &[("requestReceivedTimestamp", "stageTimestamp")],
        timed_when: Some(("stage", "ResponseComplete")),
        without: &[Level],
        ..ANY
    },
    Shape {
        name: "cloudflare",
        keys: &["RayID", "EdgeResponseStatus"],
        fields: &[
            (Time, &["EdgeEndTimestamp", "EdgeStartTimestamp"]),
            (Status, &["EdgeResponseStatus"]),
            (Route, &["ClientRequestPath", "ClientRequestURI"]),
            (Method, &["ClientRequestMethod"]),
            (Host, &["ClientRequestHost"]),
            (RequestId, &["RayID"]),
        ],
        durations: &[
            ("OriginResponseTime", Ns),
            ("OriginResponseDurationMs", Ms),
            ("EdgeTimeToFirstByteMs", Ms),
        ],
        ..ANY
    },
    Shape {
        name: "journald",
        keys: &["__REALTIME_TIMESTAMP", "MESSAGE"],
        fields: &[
            (Time, &["__REALTIME_TIMESTAMP"]),
            (Level, &["PRIORITY"]),
            (Message, &["MESSAGE"]),
            (Service, &["_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER"]),
            (Host, &["_HOSTNAME"]),
        ],
        level_scale: LevelScale::Syslog,
        reads_messages: true,
        ..ANY
    },
    Shape {
        name: "logstash",
        keys: &["@timestamp", "@version", "message", "logger_name", "level"],
        fields: &[(RequestId, &["requestId", "request_id", "traceId"])],
        ..ANY
    },
    Shape {
        name: "log4j",
        keys: &["instant.epochSecond", "level", "loggerName", "message"],
        fields: &[(Time, &["instant.epochSecond"])],
        nanos_of_second: Some("instant.nanoOfSecond"),
        ..ANY
    },
    Shape {
        name: "python-json",
        keys: &["asctime", "levelname", "message"],
        fields: &[(Time, &["asctime"]), (Level, &["levelname"])],
        without: &[Service],
        ..ANY
    },
    Shape {
        name: "structlog",
        keys: &["event", "timestamp", "level"],
        none_of: &["message", "msg", "details"],
        fields: &[(Message, &["event"])],
        without: &[Event],
        ..ANY
    },
    Shape {
        name: "winston",
        keys: &["level", "message", "timestamp"],
        none_of: &["target", "logger_name", "event", "pid"],
        durations: &[("durationMs", Ms)],
        ..ANY
    },
    Shape {
        name: "klog",
        keys: &["ts", "v", "msg"],
        none_of: &["hostname", "level"],
        fields: &[(Status, &["resp"]), (Route, &["URI"]), (Method, &["verb"])],
        ..ANY
    },
    Shape {
        name: "zap",
        keys: &["level", "ts", "caller", "msg"],
        none_of: &["request.uri"],
        durations: &[("duration", S), ("latency", S), ("elapsed", S)],
        ..ANY
    },
    Shape {
        name: "logrus",
        keys: &["level", "msg", "time"],
        none_of: &["pid", "hostname", "source"],
        fields: &[
            (Status, &["http.response.status"]),
            (Route, &["http.request.uri"]),
            (Method, &["http.request.method"]),
            (RequestId, &["http.request.id"]),
        ],
        durations: &[("http.response.duration", Ns)],
        ..ANY
    },
    Shape {
        name: "slog",
        keys: &["level", "msg", "time"],
        any_of: &["source", "source.file"],
        durations: &[("duration", Ns), ("latency", Ns), ("elapsed", Ns)],
        ..ANY
    },
    Shape {
        name: "zerolog",
        keys: &["level", "time", "message"],
        none_of: &["pid", "hostname"],
        // zerolog writes a Go duration as a float of milliseconds unless told otherwise.
        durations: &[("duration", Ms), ("latency", Ms), ("elapsed", Ms)],
        ..ANY
    },
    Shape {
        name: "docker",
        keys: &["log", "stream", "time"],
        fields: &[(Message, &["log"]), (Level, &["stream"])],
        reads_messages: true,
        ..ANY
    },
    Shape {
        name: "event-file",
        keys: &["ts", "kind", "name"],
        none_of: &["level", "msg", "message", "traceId"],
        ..ANY
    },
    Shape {
        name: "report-document",
        keys: &["student.id", "week.start", "submittedAt"],
        fields: &[
            (Time, &["submittedAt"]),
            (Service, &["academic.subject"]),
            (User, &["student.email", "student.id"]),
        ],
        default_event: Some("report.submitted"),
        without: &[Message, Route, Status],
        ..ANY
    },
    Shape {
        name: "report-document",
        keys: &["metadata.studentId", "academicPeriod.submittedAt"],
        fields: &[
            (Time, &["academicPeriod.submittedAt", "metadata.syncedAt"]),
            (Service, &["metadata.subject"]),
            (User, &["metadata.email", "metadata.studentId"]),
        ],
        default_event: Some("report.submitted"),
        without: &[Message, Route, Status, Version],
        ..ANY
    },
    Shape {
        name: "health-document",
        keys: &["status", "timestamp", "totalCheckTime"],
        durations: &[("totalCheckTime", Ms)],
        default_event: Some("health.check"),
        ..ANY
    },
];

/// The shape of anything else.
pub(super) const PLAIN: &Shape = &ANY;
