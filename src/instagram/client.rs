//! The transport: one HTTP request, one reply, nothing repeated, nothing followed.
//!
//! The real host is spoken to in HTTP/2 over TLS 1.3 only, because it answers HTTP/1.1 as if it were
//! too many requests. Loopback changes where the connection goes and nothing else: the name stays,
//! so that neither a token nor a `Host` ever names another machine.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::header::{
    CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use thiserror::Error;

use super::objections::{BodyTrouble, Reply};
use super::wire::Request;
use crate::config::{BaseUrl, InstagramConfig};
use crate::ports::{Effect, Next, PlatformError};

/// The only host there is.
const HOST_NAME: &str = "i.instagram.com";

/// Longer bodies, counted after decompression, are not read. The longest honest one is a page of
/// twelve posts, of 20 KB to 1 MB.
const BODY_LIMIT: u64 = 2 * 1024 * 1024;

/// Bodies with more commas and opening brackets are not taken apart: what JSON costs in memory goes by
/// the number of its values, not by their length, up to 280 bytes each, and a container has to hold the
/// worst. Recorded replies have one such byte in forty, this is one in 32 of the longest body.
const SEPARATORS: usize = 64 * 1024;

/// Of every POST.
const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

/// Longer than any pause within a pass, so that one handshake serves it.
const IDLE: Duration = Duration::from_mins(30);

/// How often a silent connection is tried, and how long it may take to answer: a dead one is found
/// before a like is sent into it.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The client cannot be built from what was configured or stored (exit 78).
#[derive(Debug, Error)]
pub enum SetupError {
    /// `instagram.ca_file` cannot be used.
    #[error("instagram.ca_file {path:?} cannot be used \u{b7} {why} \u{b7} name a PEM file")]
    CaFile {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system trusts nobody.
    #[error(
        "no CA certificates were found on this machine, so Instagram's cannot be checked \u{b7} \
         install the package ca-certificates, or name a PEM bundle in SSL_CERT_FILE (usually \
         /etc/ssl/certs/ca-certificates.crt)"
    )]
    NoRoots,
    /// The stored device is damaged.
    #[error(
        "the stored device cannot be used \u{b7} {0} \u{b7} import the settings file again with \
         `story-liker session import FILE --replace-device`"
    )]
    Device(String),
    /// The stored session is damaged.
    #[error(
        "the stored session cannot be used \u{b7} {0} \u{b7} import one with \
         `story-liker session import FILE`"
    )]
    Session(String),
    /// The system denies what the client needs (exit 70).
    #[error(
        "the HTTP client cannot be built \u{b7} {0} \u{b7} is there a limit on threads or files?"
    )]
    Http(String),
}

/// Sends requests.
pub struct Transport {
    client: Client,
    /// Scheme and authority.
    base: String,
    /// `Host`, where it differs from the authority.
    host: Option<HeaderValue>,
}

impl Transport {
    /// A transport for the configured place. Starts the one runtime thread it ever uses.
    pub fn new(config: &InstagramConfig) -> Result<Self, SetupError> {
        let builder = reqwest::Client::builder()
            .connect_timeout(config.connect_timeout)
            // Of the whole request, body included.
            .timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .pool_idle_timeout(IDLE)
            .gzip(true)
            .deflate(true);
        let (builder, base, host) = match config.base_url {
            BaseUrl::Real => (
                https(builder, None, None)?,
                format!("https://{HOST_NAME}"),
                None,
            ),
            BaseUrl::LoopbackTls(address) => (
                https(builder, Some(address), config.ca_file.as_deref())?,
                format!("https://{HOST_NAME}"),
                None,
            ),
            BaseUrl::LoopbackPlain(address) => (
                // No roots: the machine's need not exist, nor be read, where nothing is encrypted.
                builder.http1_only().tls_certs_only([]),
                format!("http://{address}"),
                Some(HeaderValue::from_static(HOST_NAME)),
            ),
        };
        let client = reqwest::blocking::ClientBuilder::from(builder)
            .timeout(None)
            .build()
            .map_err(|error| setup_error(&error))?;
        Ok(Self { client, base, host })
    }

    /// Sends `request` once. An error means that no status line came back.
    pub fn send(
        &self,
        request: &Request,
        mut headers: HeaderMap,
    ) -> Result<(HeaderMap, Reply), PlatformError> {
        let url = format!("{}{}", self.base, request.path);
        if let Some(host) = &self.host {
            headers.insert(HOST, host.clone());
        }
        let builder = match &request.body {
            None => self.client.get(url),
            Some(body) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
                self.client.post(url).body(body.clone())
            }
        };
        let response = builder
            .headers(headers)
            .send()
            .map_err(|error| network_error(request.label, error))?;
        Ok(reply(response))
    }
}

/// Knows no name at all.
struct NoNameServer;

impl Resolve for NoNameServer {
    fn resolve(&self, name: Name) -> Resolving {
        let problem = format!(
            "{} is not looked up: base_url is a loopback address",
            name.as_str()
        );
        Box::pin(std::future::ready(Err(problem.into())))
    }
}

/// TLS to the one host, wherever it is said to live.
fn https(
    builder: reqwest::ClientBuilder,
    address: Option<SocketAddr>,
    ca_file: Option<&Path>,
) -> Result<reqwest::ClientBuilder, SetupError> {
    let mut builder = builder
        .https_only(true)
        // With TLS this offers `h2` and nothing else.
        .http2_prior_knowledge()
        .tls_version_min(reqwest::tls::Version::TLS_1_3)
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_keep_alive_while_idle(true);
    if let Some(address) = address {
        // The name server is not asked even if that line went: practice must never reach the host.
        builder = builder
            .resolve(HOST_NAME, address)
            .dns_resolver(Arc::new(NoNameServer));
    }
    if let Some(path) = ca_file {
        builder = builder.tls_certs_only(certificates(path)?);
    }
    Ok(builder)
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, SetupError> {
    let problem = |why: String| SetupError::CaFile {
        path: path.to_owned(),
        why,
    };
    let pem = fs::read(path).map_err(|error| problem(error.to_string()))?;
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| problem(root_cause(&error)))?;
    if certificates.is_empty() {
        return Err(problem("there is no certificate in it".to_owned()));
    }
    Ok(certificates)
}

fn setup_error(error: &reqwest::Error) -> SetupError {
    let cause = root_cause(error);
    if cause.contains("No CA certificates") {
        SetupError::NoRoots
    } else {
        SetupError::Http(cause)
    }
}

/// The innermost error: the outer ones only say that something was tried.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn network_error(label: &str, error: reqwest::Error) -> PlatformError {
    let error = error.without_url();
    let cause = root_cause(&error);
    // The TLS library ends some messages with the address of its manual.
    let cause = cause.split(": https://").next().unwrap_or_default();
    let (next, effect, what) = if error.is_builder() {
        (
            Next::EndPass,
            Effect::Unsent,
            "the request could not be made",
        )
    } else if error.is_connect() {
        (
            Next::RepeatRead,
            Effect::Unsent,
            "no connection to Instagram could be made",
        )
    } else if error.is_timeout() {
        (Next::EndPass, Effect::Unknown, "no answer came in time")
    } else {
        (
            Next::RepeatRead,
            Effect::Unknown,
            "the connection broke before an answer came",
        )
    };
    PlatformError {
        next,
        effect,
        message: format!(
            "{label}: {what} \u{b7} {cause} \u{b7} check the network; nothing is repeated that may \
             have happened"
        ),
    }
}

fn reply(mut response: Response) -> (HeaderMap, Reply) {
    let headers = std::mem::take(response.headers_mut());
    let text = |name: HeaderName| {
        let value = headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mut reply = Reply {
        status: response.status().as_u16(),
        content_type: text(CONTENT_TYPE).unwrap_or_default(),
        retry_after: text(RETRY_AFTER),
        location: text(LOCATION),
        ..Reply::default()
    };
    match response.take(BODY_LIMIT + 1).read_to_end(&mut reply.body) {
        Err(error) => reply.body_trouble = Some(body_trouble(&error)),
        Ok(_) if reply.body.len() as u64 > BODY_LIMIT => {
            reply.body_trouble = Some(BodyTrouble::TooLong);
        }
        Ok(_) if separators(&reply.body) > SEPARATORS => {
            reply.body_trouble = Some(BodyTrouble::TooMany);
        }
        Ok(_) => {}
    }
    if reply.body_trouble.is_some() {
        reply.body = Vec::new();
    }
    (headers, reply)
}

fn separators(body: &[u8]) -> usize {
    let separates = |byte: &&u8| matches!(byte, b',' | b'[' | b'{');
    body.iter().filter(separates).count()
}

fn body_trouble(error: &std::io::Error) -> BodyTrouble {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<reqwest::Error>());
    let timed_out = error.kind() == std::io::ErrorKind::TimedOut
        || inner.is_some_and(reqwest::Error::is_timeout);
    if timed_out {
        BodyTrouble::TimedOut
    } else {
        BodyTrouble::Broken
    }
}
