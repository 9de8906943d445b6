//! Where and how the practice server listens, with an ordinary HTTP client.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use reqwest::Certificate;
use reqwest::blocking::{Client, ClientBuilder, Response};
use reqwest::tls::Version;
use story_liker::practice::clock::WallClock;
use story_liker::practice::trouble::Trouble;
use story_liker::practice::{Options, Server, StartError, Wire, serve};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn tls_server() -> Server {
    Server::start(Options::rehearsal(1, Arc::new(WallClock))).unwrap()
}

fn trusting(server: &Server) -> ClientBuilder {
    let authority = Certificate::from_pem(server.ca_pem().unwrap().as_bytes()).unwrap();
    Client::builder()
        .no_proxy()
        .tls_certs_only([authority])
        .resolve("i.instagram.com", server.address())
        .resolve("b.i.instagram.com", server.address())
}

fn ask(client: &Client, server: &Server, host: &str) -> reqwest::Result<Response> {
    let port = server.address().port();
    client
        .get(format!("https://{host}:{port}/api/v1/qe/sync/"))
        .send()
}

#[test]
fn http_2_over_tls_1_3_is_served_under_the_real_names() {
    let server = tls_server();
    let client = trusting(&server).http2_prior_knowledge().build().unwrap();
    for host in [
        "i.instagram.com",
        "b.i.instagram.com",
        "127.0.0.1",
        "localhost",
    ] {
        let reply = ask(&client, &server, host).unwrap();
        assert_eq!(reply.version(), reqwest::Version::HTTP_2);
        assert_eq!(reply.status(), 200);
        assert!(
            reply
                .headers()
                .contains_key("ig-set-password-encryption-pub-key")
        );
    }
    // Loopback names are no hosts of the API where the certificate offers the real ones.
    let record = server.record();
    let remarks: Vec<bool> = record
        .iter()
        .map(|entry| entry.violations.is_empty())
        .collect();
    assert_eq!(remarks, [true, true, false, false]);
}

#[test]
fn http_1_1_over_tls_is_refused() {
    let server = tls_server();
    let client = trusting(&server).http1_only().build().unwrap();
    assert!(ask(&client, &server, "i.instagram.com").is_err());
    assert!(server.record().is_empty());
}

/// A connection that names no protocol, as some libraries make for HTTP/1.1.
#[test]
fn tls_without_a_named_protocol_is_refused() {
    let server = tls_server();
    let mut roots = RootCertStore::empty();
    let pem = server.ca_pem().unwrap().as_bytes();
    roots
        .add(CertificateDer::from_pem_slice(pem).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "i.instagram.com".try_into().unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(server.address()).unwrap();
    let mut stream = StreamOwned::new(session, stream);
    let request = b"GET /api/v1/qe/sync/ HTTP/1.1\r\nHost: i.instagram.com\r\n\r\n";
    let mut answer = Vec::new();
    let _ = stream
        .write_all(request)
        .and_then(|()| stream.read_to_end(&mut answer));
    assert!(answer.is_empty(), "{}", answer.escape_ascii());
    assert!(server.record().is_empty());
}

#[test]
fn tls_1_2_is_refused() {
    let server = tls_server();
    let old = trusting(&server)
        .http2_prior_knowledge()
        .tls_version_max(Version::TLS_1_2);
    assert!(ask(&old.build().unwrap(), &server, "i.instagram.com").is_err());
    assert!(server.record().is_empty());
}

#[test]
fn a_client_that_does_not_know_the_authority_is_not_served() {
    let server = tls_server();
    let stranger = tls_server();
    let authority = Certificate::from_pem(stranger.ca_pem().unwrap().as_bytes()).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([authority]);
    let client = client.http2_prior_knowledge().build().unwrap();
    assert!(ask(&client, &server, "localhost").is_err());
}

#[test]
fn addresses_reachable_from_elsewhere_are_refused() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let options = Options::serving(listen.parse().unwrap(), Wire::Plain, 1);
        let refused = Server::start(options).err().unwrap();
        assert!(
            matches!(refused, StartError::NotLoopback(_)),
            "{listen}: {refused}"
        );
        assert!(refused.to_string().contains("127.0.0.1"));
    }
}

#[test]
fn a_taken_port_is_named() {
    let server = tls_server();
    let options = Options::serving(server.address(), Wire::Plain, 1);
    let refused = Server::start(options).err().unwrap().to_string();
    assert!(refused.contains(&server.address().to_string()), "{refused}");
}

#[test]
fn a_dropped_server_answers_no_more() {
    let server = tls_server();
    let address = server.address();
    drop(server);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn serving_prints_one_line_that_says_how_to_get_in() {
    let listen = "127.0.0.1:0".parse().unwrap();
    for wire in [Wire::Plain, Wire::Tls] {
        let mut out = Vec::new();
        serve(Options::serving(listen, wire, 1), &mut out, || {}).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "base_url",
                "ca_file",
                "username",
                "password",
                "totp_secret",
                "session_id",
                "targets",
                "quiet_target"
            ]
        );
        assert_eq!(line["ca_file"].is_null(), wire == Wire::Plain);
        assert!(line["session_id"].as_str().unwrap().len() > 30);
        assert!(
            line["targets"]
                .as_array()
                .unwrap()
                .contains(&line["quiet_target"])
        );
    }
}

#[test]
fn faults_break_http_2_requests_and_the_next_one_is_served() {
    let server = tls_server();
    let client = trusting(&server)
        .http2_prior_knowledge()
        .retry(reqwest::retry::never())
        .build();
    let client = client.unwrap();
    for fault in ["drop", "truncated", "drop"] {
        server.arm(Trouble::new("any", fault).unwrap());
        let broken = ask(&client, &server, "i.instagram.com").and_then(Response::bytes);
        assert!(broken.is_err(), "{fault}");
        let next = ask(&client, &server, "i.instagram.com").unwrap();
        assert_eq!(next.status(), 200, "{fault}");
    }
    assert_eq!(
        server.record().len(),
        6,
        "nothing is repeated behind the client's back"
    );
}
