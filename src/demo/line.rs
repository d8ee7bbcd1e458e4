//! One line of the log: a record of a Vercel log drain, written without `serde`.
//!
//! Fields and their meanings follow the public Log Drains reference. Every record of a request
//! carries its id and status; the duration is in the text of two of them, as there.

use super::Detail;
use super::message::Channel;
use super::plan::{Deploy, Plan};
use super::request::Request;
use super::route::Role;
use super::text::{
    push_base62, push_escaped, push_hundredths, push_number, push_padded, push_signed, push_uuid,
};

const HOST: &[u8] = b"plataforma.example.test";
const PROJECT: &[u8] = b"prj_demoPlataformaEscolar01";

const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
];

/// What the runtime prints while a site is built.
pub(crate) const BUILD_TEXTS: [(&str, i64); 4] = [
    ("Running \"next build\"", 95_000),
    ("✓ Compiled successfully in 41s", 48_000),
    ("Build Completed in /vercel/output [1m]", 21_000),
    ("Deployment completed", 3_000),
];

/// Appends records to `out`, one line each.
#[derive(Debug)]
pub(crate) struct LineWriter<'a> {
    /// What was written and not yet taken.
    pub(crate) out: Vec<u8>,
    /// Records written.
    pub(crate) count: u64,
    plan: &'a Plan,
    detail: Detail,
}

impl<'a> LineWriter<'a> {
    /// Begins with nothing.
    pub(crate) fn new(plan: &'a Plan, detail: Detail) -> Self {
        Self { out: Vec::new(), count: 0, plan, detail }
    }

    /// The first record of a request that runs a function.
    pub(crate) fn start(&mut self, request: &Request) {
        self.open(request, request.start_ms, "info");
        self.put(b",\"message\":\"START RequestId: ");
        push_uuid(&mut self.out, request.id);
        self.put(b" Version: $LATEST\"");
        self.close(request, "delimiter");
    }

    /// The only record of a request that is answered without a function.
    pub(crate) fn answer(&mut self, request: &Request) {
        self.open(request, request.start_ms, "info");
        if request.route().role == Role::Edge {
            self.put(",\"message\":\"↪️ Sin sesión: a /login\"".as_bytes());
            self.close(request, "middleware");
        } else {
            self.close(request, "");
        }
    }

    /// A text of the application.
    pub(crate) fn said(&mut self, request: &Request, channel: Channel, message: &[u8]) {
        let (level, kind) = match channel {
            Channel::Info => ("info", "stdout"),
            Channel::Warning => ("warning", "stderr"),
            Channel::Error => ("error", "stderr"),
            Channel::Fatal => ("fatal", "fatal"),
        };
        let at_ms = if channel == Channel::Fatal { request.ended_ms() } else { request.said_ms() };
        self.open(request, at_ms, level);
        self.put(b",\"message\":\"");
        push_escaped(&mut self.out, message);
        self.put(b"\"");
        self.close(request, kind);
    }

    /// The line of Next.js: method, path, status and duration in whole milliseconds.
    pub(crate) fn served(&mut self, request: &Request) {
        self.open(request, request.ended_ms(), "info");
        self.put(b",\"message\":\"");
        self.put(request.route().method.as_bytes());
        self.put(b" ");
        request.push_path(&mut self.out);
        if self.detail == Detail::Full {
            request.push_query(&mut self.out);
        }
        self.put(b" ");
        push_signed(&mut self.out, i64::from(request.status));
        self.put(b" in ");
        push_number(&mut self.out, (u64::from(request.duration) + 50) / 100);
        self.put(b"ms\"");
        self.close(request, "stdout");
    }

    /// The runtime's last line: exact duration and memory.
    pub(crate) fn report(&mut self, request: &Request) {
        self.open(request, request.ended_ms(), "info");
        self.put(b",\"message\":\"REPORT RequestId: ");
        push_uuid(&mut self.out, request.id);
        self.put(b"\\tDuration: ");
        push_hundredths(&mut self.out, request.duration);
        self.put(b" ms\\tBilled Duration: ");
        push_number(&mut self.out, u64::from(request.duration).div_ceil(100));
        self.put(b" ms\\tMemory Size: 1024 MB\\tMax Memory Used: ");
        push_number(&mut self.out, 118 + request.bits % 60);
        self.put(b" MB\"");
        self.close(request, "report");
    }

    /// A text printed while a deployment is built.
    pub(crate) fn build(&mut self, deploy: &Deploy, at_ms: i64, message: &str) {
        self.put(b"{\"id\":\"");
        self.push_id(at_ms);
        self.put(b"\",\"deploymentId\":\"");
        self.put(deploy.id.as_bytes());
        self.put(b"\",\"source\":\"build\",\"buildId\":\"bld_");
        self.put(deploy.commit.as_bytes().get(..9).unwrap_or_default());
        self.put(b"\",\"host\":\"");
        self.put(HOST);
        self.put(b"\",\"timestamp\":");
        push_signed(&mut self.out, at_ms);
        self.put(b",\"level\":\"info\",\"message\":\"");
        push_escaped(&mut self.out, message.as_bytes());
        self.put(b"\",\"type\":\"stdout\",\"environment\":\"production\",\"branch\":\"main\"}\n");
    }

    fn open(&mut self, request: &Request, at_ms: i64, level: &str) {
        let deploy = self.plan.deploys.get(request.deploy).map_or("", |deploy| &deploy.id);
        self.put(b"{\"id\":\"");
        self.push_id(at_ms);
        self.put(b"\",\"deploymentId\":\"");
        self.put(deploy.as_bytes());
        self.put(b"\",\"source\":\"");
        self.put(match request.route().role {
            Role::Static => b"static",
            Role::Edge => b"edge",
            _ => b"lambda",
        });
        self.put(b"\",\"host\":\"");
        self.put(HOST);
        self.put(b"\",\"timestamp\":");
        push_signed(&mut self.out, at_ms);
        if self.detail == Detail::Full {
            self.put(b",\"projectId\":\"");
            self.put(PROJECT);
            self.put(b"\"");
        }
        self.put(b",\"level\":\"");
        self.put(level.as_bytes());
        self.put(b"\"");
    }

    fn close(&mut self, request: &Request, kind: &str) {
        self.put(b",\"path\":\"");
        request.push_path(&mut self.out);
        if self.detail == Detail::Full && !kind.is_empty() {
            self.put(b"\",\"type\":\"");
            self.put(kind.as_bytes());
        }
        self.put(b"\",\"statusCode\":");
        push_signed(&mut self.out, i64::from(request.status));
        self.put(b",\"requestId\":\"");
        push_uuid(&mut self.out, request.id);
        self.put(b"\",\"environment\":\"production\"");
        if self.detail == Detail::Full {
            self.put(b",\"branch\":\"main\"");
        }
        self.put(b",\"proxy\":{\"timestamp\":");
        push_signed(&mut self.out, request.start_ms);
        self.put(b",\"method\":\"");
        self.put(request.route().method.as_bytes());
        self.put(b"\",\"path\":\"");
        request.push_path(&mut self.out);
        if self.detail == Detail::Full {
            request.push_query(&mut self.out);
            self.close_proxy(request);
        }
        self.put(b"\",\"statusCode\":");
        push_signed(&mut self.out, i64::from(request.status));
        self.put(b",\"region\":\"gru1\"}}\n");
    }

    /// Fields of the proxy that only the full detail has, after an open string.
    fn close_proxy(&mut self, request: &Request) {
        self.put(b"\",\"scheme\":\"https\",\"host\":\"");
        self.put(HOST);
        self.put(b"\",\"userAgent\":[\"");
        let browser = BROWSERS.get((request.bits >> 8) as usize % BROWSERS.len());
        self.put(browser.map_or(b"", |browser| browser.as_bytes()));
        // 203.0.113.0/24 is reserved for documentation (RFC 5737).
        self.put(b"\"],\"clientIp\":\"203.0.113.");
        push_number(&mut self.out, 1 + u64::from(request.person.0) % 254);
        self.put(b"\",\"vercelId\":\"gru1::iad1::");
        push_base62(&mut self.out, request.bits, 5);
        self.put(b"-");
        push_signed(&mut self.out, request.start_ms);
        self.put(b"\",\"vercelCache\":\"");
        self.put(if request.route().role == Role::Static { b"HIT" } else { b"MISS" });
    }

    /// Appends a record id: its time, and its number, which makes it unique.
    fn push_id(&mut self, at_ms: i64) {
        push_signed(&mut self.out, at_ms);
        push_padded(&mut self.out, self.count, 12);
        self.count += 1;
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
}
