//! Getting into the practice server: the password behind its encryption, the one-time code.
#![allow(clippy::unwrap_used)]

mod practice_support;

use std::fmt::Write as _;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use practice_support::{
    ANDROID, DEVICE, OTHER_UUID, PHONE, Payload, Practice, Reply, Sketch, private_headers, set,
};
use serde_json::{Value, json};
use story_liker::practice::clock::PracticeClock;
use story_liker::practice::switches::Switches;

fn key_sync(practice: &Practice) -> (u8, Pkcs1PublicEncryptingKey) {
    // Sent without a single header of the app, as recorded.
    let sketch = Sketch {
        method: "GET",
        target: "/api/v1/qe/sync/".to_owned(),
        headers: vec![("Host".to_owned(), "i.instagram.com".to_owned())],
        body: Payload::None,
    };
    let (reply, remarks) = practice.ask(&sketch);
    assert!(remarks.is_empty(), "{remarks:?}");
    let id = reply
        .header("ig-set-password-encryption-key-id")
        .unwrap()
        .parse()
        .unwrap();
    let pem = STANDARD
        .decode(reply.header("ig-set-password-encryption-pub-key").unwrap())
        .unwrap();
    let pem = String::from_utf8(pem).unwrap();
    let inner: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let key = PublicEncryptingKey::from_der(&STANDARD.decode(inner).unwrap()).unwrap();
    assert_eq!(key.key_size_bits(), 2048);
    (id, Pkcs1PublicEncryptingKey::new(key).unwrap())
}

/// Encrypts a password as the fact sheet (5.1) says, with a key id and a length to get wrong.
fn encrypt(
    practice: &Practice,
    password: &str,
    time: i64,
    key_id: Option<u8>,
    big: bool,
) -> String {
    let (id, rsa) = key_sync(practice);
    let (key, iv) = ([7_u8; 32], [9_u8; 12]);
    let mut block = vec![0; rsa.ciphertext_size()];
    let block = rsa.encrypt(&key, &mut block).unwrap().to_vec();
    let aead = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let mut text = password.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let bound = Aad::from(time.to_string().into_bytes());
    let tag = aead
        .seal_in_place_separate_tag(nonce, bound, &mut text)
        .unwrap();
    let length = if big {
        256_u16.to_be_bytes()
    } else {
        256_u16.to_le_bytes()
    };
    let head = [1, key_id.unwrap_or(id)];
    let payload = [&head[..], &iv, &length, &block, tag.as_ref(), &text].concat();
    format!("#PWD_INSTAGRAM:4:{time}:{}", STANDARD.encode(payload))
}

fn logged_out(practice: &Practice, target: &str, fields: Vec<(&str, Value)>) -> Sketch {
    let mut sketch = practice.post(target, fields);
    sketch.headers = private_headers(practice.clock.now_ms());
    let form = "application/x-www-form-urlencoded; charset=UTF-8";
    set(&mut sketch.headers, "Content-Type", form);
    sketch
}

fn login(practice: &Practice, encrypted: &str) -> Sketch {
    let sum: u64 = PHONE.bytes().map(u64::from).sum();
    logged_out(
        practice,
        "/api/v1/accounts/login/",
        vec![
            ("jazoest", json!(format!("2{sum}"))),
            (
                "country_codes",
                json!(r#"[{"country_code":"1","source":["default"]}]"#),
            ),
            ("phone_id", json!(PHONE)),
            ("enc_password", json!(encrypted)),
            ("username", json!("sandbox.operator")),
            ("adid", json!(OTHER_UUID)),
            ("guid", json!(DEVICE)),
            ("device_id", json!(ANDROID)),
            ("google_tokens", json!("[]")),
            ("login_attempt_count", json!("0")),
        ],
    )
}

fn good_login(practice: &Practice) -> Sketch {
    let password = practice.server.credentials().password;
    login(
        practice,
        &encrypt(practice, &password, practice.now_s(), None, false),
    )
}

fn token_of(reply: &Reply) -> String {
    reply.header("ig-set-authorization").unwrap().to_owned()
}

#[test]
fn the_right_password_opens_a_new_session_in_a_header() {
    let practice = Practice::start();
    let (reply, remarks) = practice.ask(&good_login(&practice));
    assert_eq!((reply.status, remarks), (200, vec![]));
    let token = token_of(&reply);
    assert!(
        !String::from_utf8(reply.body.clone())
            .unwrap()
            .contains("sessionid")
    );
    let mut sketch = practice.current_user().header("Authorization", &token);
    for (name, header) in [
        ("ig-set-x-mid", "X-MID"),
        ("ig-set-ig-u-rur", "IG-U-RUR"),
        ("x-ig-set-www-claim", "X-IG-WWW-Claim"),
    ] {
        sketch = sketch.header(header, reply.header(name).unwrap());
    }
    let (reply, remarks) = practice.ask(&sketch);
    assert_eq!((reply.status, remarks), (200, vec![]));
    assert_ne!(
        token,
        practice_support::bearer(&practice.session_id()),
        "a session of its own"
    );
}

#[test]
fn a_wrong_password_or_name_is_refused_as_recorded() {
    let practice = Practice::start();
    let wrong = encrypt(&practice, "guess", practice.now_s(), None, false);
    let (reply, remarks) = practice.ask(&login(&practice, &wrong));
    assert_eq!((reply.status, remarks), (400, vec![]));
    assert_eq!(reply.json()["error_type"], json!("bad_password"));
    let nobody = good_login(&practice).field("username", json!("nobody"));
    let (reply, _) = practice.ask(&nobody);
    assert_eq!(reply.json()["error_type"], json!("invalid_user"));
}

#[test]
fn an_encryption_with_one_mistake_is_not_understood() {
    let practice = Practice::start();
    let (password, now) = (practice.server.credentials().password, practice.now_s());
    let remark = |encrypted: &str| practice.ask(&login(&practice, encrypted)).1;
    assert_eq!(
        remark(&encrypt(&practice, &password, now, Some(1), false)),
        ["password-key-id"]
    );
    assert_eq!(
        remark(&encrypt(&practice, &password, now, None, true)),
        ["password-form"]
    );
    let old = encrypt(&practice, &password, now - 3600, None, false);
    assert_eq!(remark(&old), ["password-time"]);
    let good = encrypt(&practice, &password, now, None, false);
    // Another time than the one that was authenticated.
    let shifted = good.replace(&now.to_string(), &(now + 1).to_string());
    assert_eq!(remark(&shifted), ["password-undecryptable"]);
    assert_eq!(remark(&password), ["password-form"]);
    assert_eq!(
        remark("#PWD_INSTAGRAM:4:1795197600:AAAA")[0],
        "password-form"
    );
}

#[test]
fn a_login_that_is_already_logged_in_is_noticed() {
    let practice = Practice::start();
    let token = practice_support::bearer(&practice.session_id());
    let (_, remarks) = practice.ask(&good_login(&practice).header("Authorization", &token));
    assert_eq!(remarks, ["header-unexpected:Authorization"]);
}

#[test]
fn every_field_of_the_login_is_checked() {
    let names = good_login(&Practice::start()).field_names();
    assert_eq!(names.len(), 10);
    for name in names {
        let practice = Practice::start();
        let sketch = good_login(&practice);
        let gone = sketch
            .clone()
            .fields(|fields| fields.retain(|(n, _)| *n != name));
        assert_eq!(
            practice.ask(&gone).1,
            [format!("body-field-missing:{name}")]
        );
        let practice = Practice::start();
        let typed = good_login(&practice).field(&name, json!(1));
        assert_eq!(practice.ask(&typed).1, [format!("body-field-type:{name}")]);
    }
}

/// RFC 6238 with the parameters everybody uses, apart from the server's own.
fn one_time_code(secret: &str, now_s: i64) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bits = String::new();
    for digit in secret.chars().map(|c| alphabet.find(c).unwrap()) {
        write!(bits, "{digit:05b}").unwrap();
    }
    let key: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let digest = hmac::sign(&key, &(now_s / 30).to_be_bytes());
    let digest = digest.as_ref();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn second_factor(practice: &Practice, identifier: &str, code: &str) -> Sketch {
    logged_out(
        practice,
        "/api/v1/accounts/two_factor_login/",
        vec![
            ("verification_code", json!(code)),
            ("phone_id", json!(PHONE)),
            ("_csrftoken", json!("a".repeat(64))),
            ("two_factor_identifier", json!(identifier)),
            ("username", json!("sandbox.operator")),
            ("trust_this_device", json!("0")),
            ("guid", json!(DEVICE)),
            ("device_id", json!(ANDROID)),
            ("waterfall_id", json!(OTHER_UUID)),
            ("verification_method", json!("3")),
        ],
    )
}

#[test]
fn the_second_factor_takes_the_code_of_the_moment_and_no_other() {
    let practice = Practice::with(Switches {
        two_factor: true,
        ..Switches::default()
    });
    let secret = practice.server.credentials().totp_secret;
    let early = second_factor(
        &practice,
        "guess",
        &one_time_code(&secret, practice.now_s()),
    );
    let (reply, remarks) = practice.ask(&early);
    assert_eq!((reply.status, remarks), (400, vec![]), "nobody asked yet");
    let (asked, _) = practice.ask(&good_login(&practice));
    assert_eq!(asked.json()["two_factor_required"], json!(true));
    assert!(asked.header("ig-set-authorization").is_none());
    let identifier = asked.json()["two_factor_info"]["two_factor_identifier"].clone();
    let identifier = identifier.as_str().unwrap();
    let code = |ago: i64| one_time_code(&secret, practice.now_s() - ago);
    let (wrong, _) = practice.ask(&second_factor(&practice, identifier, &code(300)));
    assert_eq!(
        wrong.json()["error_type"],
        json!("sms_code_validation_code_invalid")
    );
    let (right, _) = practice.ask(&second_factor(&practice, identifier, &code(0)));
    assert_eq!(right.status, 200);
    assert!(token_of(&right).starts_with("Bearer IGT:2:"));
    let (again, _) = practice.ask(&second_factor(&practice, identifier, &code(0)));
    assert_eq!(
        again.json()["error_type"],
        json!("invalid_nonce"),
        "an identifier is good once"
    );
}

#[test]
fn a_logged_out_session_is_dead() {
    let practice = Practice::start();
    let fields = vec![("one_tap_app_login", json!(true))];
    let (reply, remarks) = practice.ask(&practice.post("/api/v1/accounts/logout/", fields));
    assert_eq!((reply.status, remarks), (200, vec![]));
    assert_eq!(practice.ask(&practice.current_user()).0.status, 403);
}

#[test]
fn the_newer_login_sends_clients_back_to_the_legacy_call() {
    let practice = Practice::start();
    let path = "/api/v1/bloks/async_action/com.bloks.www.bloks.caa.login.async.send_login_request/";
    let mut sketch = logged_out(&practice, path, Vec::new());
    sketch.body = Payload::Raw(b"params=%7B%7D".to_vec());
    let (reply, remarks) = practice.ask(&sketch.header("Host", "b.i.instagram.com"));
    assert_eq!((reply.status, remarks), (200, vec![]));
    assert!(
        String::from_utf8(reply.body)
            .unwrap()
            .contains("CAA_LOGIN_FALLBACK:")
    );
}
