//! What counts as a login, and what the client never does around one.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use story_liker::model::{HoldReason, Secret};
use story_liker::ports::{
    Answer, Effect, LoginReply, Next, Objection, PasswordKey, Platform, PlatformError,
};
use support::client::{logged_out, pk};
use support::raw_server::{Act, RawServer, fixture, json, reply};

const AUTHORIZATION: &str = "Bearer IGT:2:eyJkc191c2VyX2lkIjoiNzEwMDAwMDAwMDEiLCJzZXNzaW9uaWQiOiI3MTAwMDAwMDAwMSUzQVN5bnRoZXRpY1Nlc3MwMSUzQTEyJTNBQVlzeW50aGV0aWMiLCJzaG91bGRfdXNlX2hlYWRlcl9vdmVyX2Nvb2tpZXMiOnRydWV9";

fn key() -> PasswordKey {
    PasswordKey {
        id: 205,
        pem: include_str!("fixtures/password_key.pem").to_owned(),
    }
}

fn submit(answer: Vec<u8>) -> (Answer<LoginReply>, RawServer) {
    let server = RawServer::start(vec![Act::Say(answer)]);
    let mut client = logged_out(server.address);
    let password = Secret::new("hunter2");
    let answer = client.login_password("sandbox.operator", &password, &key());
    (answer, server)
}

fn reason(error: &PlatformError) -> Option<HoldReason> {
    match &error.next {
        Next::Stop(Objection { reason, .. }) => Some(*reason),
        _ => None,
    }
}

#[test]
fn a_session_in_the_reply_is_a_login() {
    let body = fixture("accounts_login_ok");
    for header in [
        ("ig-set-authorization", AUTHORIZATION),
        (
            "set-cookie",
            "sessionid=71000000001%3AAbc%3A12; Max-Age=600",
        ),
    ] {
        let (answer, _) = submit(reply(200, &[header], body.as_bytes()));
        let Ok(LoginReply::LoggedIn(myself)) = answer.result else {
            panic!("not logged in: {:?}", answer.result);
        };
        let session = answer.session.unwrap();
        assert_eq!(
            (myself.pk, session.pk),
            (pk("71000000001"), pk("71000000001"))
        );
        assert!(session.json.expose().contains("last_login"));
    }
}

#[test]
fn a_200_without_a_usable_session_is_no_login() {
    let body = fixture("accounts_login_ok");
    let headers: [&[(&str, &str)]; 5] = [
        &[],
        &[("ig-set-authorization", "")],
        &[("ig-set-authorization", "Bearer IGT:2:")],
        &[("set-cookie", "sessionid=; Max-Age=600")],
        &[("set-cookie", "sessionid=72000000002%3AAbc%3A12")],
    ];
    for headers in headers {
        let (answer, _) = submit(reply(200, headers, body.as_bytes()));
        let error = answer.result.unwrap_err();
        assert_eq!(
            reason(&error),
            Some(HoldReason::UnknownShape),
            "{headers:?}"
        );
        assert_eq!(answer.session, None);
    }
}

#[test]
fn a_refused_password_is_submitted_once() {
    for name in [
        "accounts_login_bad_password",
        "accounts_login_needs_upgrade",
    ] {
        let (answer, server) = submit(json(400, &fixture(name)));
        assert_eq!(answer.result.unwrap_err().effect, Effect::Refused);
        server.only();
    }
}

#[test]
fn a_second_factor_that_cannot_be_answered_stops_the_login() {
    let body = r#"{"two_factor_required":true,"two_factor_info":{},"status":"fail"}"#;
    let (answer, _) = submit(json(400, body));
    assert_eq!(
        reason(&answer.result.unwrap_err()),
        Some(HoldReason::TwoFactor)
    );
}

#[test]
fn a_useless_key_keeps_the_password_here() {
    let server = RawServer::start(vec![Act::Close]);
    let mut client = logged_out(server.address);
    let key = PasswordKey {
        id: 1,
        pem: "nonsense".to_owned(),
    };
    let answer = client.login_password("sandbox.operator", &Secret::new("hunter2"), &key);
    let error = answer.result.unwrap_err();
    assert_eq!(error.effect, Effect::Unsent);
    assert!(!error.message.contains("hunter2"));
    assert_eq!(server.received(), []);
}

#[test]
fn a_key_reply_without_its_headers_is_a_change_of_the_api() {
    let body = fixture("qe_sync_ok");
    let id = ("ig-set-password-encryption-key-id", "205");
    let pem = ("ig-set-password-encryption-pub-key", "LS0tLS0=");
    let bad_id = ("ig-set-password-encryption-key-id", "256");
    for headers in [&[][..], &[id], &[pem], &[bad_id, pem]] {
        let server = RawServer::start(vec![Act::Say(reply(200, headers, body.as_bytes()))]);
        let error = logged_out(server.address).login_key().result.unwrap_err();
        assert_eq!(
            reason(&error),
            Some(HoldReason::UnknownShape),
            "{headers:?}"
        );
    }
    let server = RawServer::start(vec![Act::Say(reply(200, &[id, pem], body.as_bytes()))]);
    let key = logged_out(server.address).login_key().result.unwrap();
    assert_eq!((key.id, &*key.pem), (205, "-----"));
}
