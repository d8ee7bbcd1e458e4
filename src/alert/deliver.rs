//! Sends one message to one receiver over HTTP and says how it went.
//!
//! TLS trusts what the system trusts. Redirections are not followed: a receiver that has moved is
//! to be named anew, and a message meant for one host never reaches another. What is said about a
//! failure never holds the address, whose path is often a password.

use std::error::Error;
use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode, redirect};
use tokio::runtime::{Builder, Runtime};
use url::{Host, Url};

use crate::config::ReceiverKind;

/// Longest time from the first byte of a request to the end of its answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// Where Alertmanager takes alerts, below the address of its pages.
const ALERTMANAGER_PATH: &str = "api/v2/alerts";
/// Makes a receiver that keeps the keys it has seen take a message once.
const KEY_HEADER: &str = "idempotency-key";

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The same whenever the same message is sent again.
    pub key: &'a str,
    /// JSON.
    pub body: &'a str,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The receiver has it.
    Accepted,
    /// The receiver does not want it, and never will.
    Refused(String),
    /// Later it may want it, not before the given time if there is one.
    Later(String, Option<Duration>),
    /// Nothing was heard of the receiver; it may have it or not.
    Unreachable(String),
}

/// Something that sends.
pub trait Deliver {
    /// Sends a message to the receiver of this kind at this address.
    fn deliver(&mut self, kind: ReceiverKind, address: &str, message: Message<'_>) -> Answer;
}

/// Sends over HTTP.
#[derive(Debug)]
pub struct Http {
    runtime: Runtime,
    /// Takes the proxy that the system names.
    outward: Client,
    /// For this machine.
    inward: Client,
}

/// Nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// There is no runtime.
    #[error("cannot wait for the network")]
    Runtime(#[source] std::io::Error),
    /// There is no client, such as without any certificate that is trusted.
    #[error("cannot set up HTTP")]
    Client(#[source] reqwest::Error),
}

impl Http {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// When the system gives no sockets or no certificates.
    pub fn new(timeout: Duration) -> Result<Self, HttpError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let client = || {
            Client::builder()
                .timeout(timeout)
                .redirect(redirect::Policy::none())
                .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
                // Alerts are rare: a connection would be closed before the next one.
                .pool_max_idle_per_host(0)
        };
        Ok(Self {
            runtime: runtime.map_err(HttpError::Runtime)?,
            outward: client().build().map_err(HttpError::Client)?,
            inward: client().no_proxy().build().map_err(HttpError::Client)?,
        })
    }
}

impl Deliver for Http {
    fn deliver(&mut self, kind: ReceiverKind, address: &str, message: Message<'_>) -> Answer {
        let Some(url) = target(kind, address) else {
            return Answer::Refused("its address is no web address".to_owned());
        };
        let client = if is_this_machine(&url) { &self.inward } else { &self.outward };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(KEY_HEADER, message.key)
            .body(message.body.to_owned());
        match self.runtime.block_on(async { request.send().await }) {
            Ok(response) => answer(response.status(), response.headers()),
            Err(error) => Answer::Unreachable(reason(&error)),
        }
    }
}

fn target(kind: ReceiverKind, address: &str) -> Option<Url> {
    let mut url = Url::parse(address).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    if kind == ReceiverKind::Alertmanager && !path.ends_with(ALERTMANAGER_PATH) {
        url.set_path(&format!("{path}/{ALERTMANAGER_PATH}"));
    }
    Some(url)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn answer(status: StatusCode, headers: &HeaderMap) -> Answer {
    let code = status.as_u16();
    if status.is_success() {
        return Answer::Accepted;
    }
    if status.is_redirection() {
        return Answer::Refused(format!("it answers {code}: it has moved, name its new address"));
    }
    let text = format!("it answers {code}");
    match code {
        408 | 425 | 429 | 500.. => Answer::Later(text, retry_after(headers)),
        _ => Answer::Refused(text),
    }
}

/// Seconds, or a date, which is held against the receiver's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| Some(rfc2822::parse(text).ok()?.timestamp());
    let now = date(headers.get(DATE)?.to_str().ok()?)?;
    Duration::try_from(date(text)?.duration_since(now)).ok()
}

/// The innermost cause: the outer ones hold the address.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    let mut cause: Option<&dyn Error> = error.source();
    let mut text = "the request failed".to_owned();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
