//! What the operator of the practice account knows, and how the server checks it: the password
//! behind its encryption, the one-time codes behind their secret.

use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::rules::Violations;
use super::rules::headers::CLOCK_TOLERANCE_MS;
use super::world::OPERATOR_PK;

/// What a client needs to get in.
#[derive(Clone)]
pub struct Credentials {
    /// Login name.
    pub username: String,
    /// Password.
    pub password: String,
    /// Secret of the one-time codes, base32 without padding.
    pub totp_secret: String,
    /// A session that exists from the start.
    pub session_id: String,
    /// Own pk.
    pub pk: u64,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

impl Credentials {
    /// The credentials of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::MAX);
        Self {
            username: "sandbox.operator".to_owned(),
            password: format!("practice-{}", draw(&mut rng, LETTERS, 12)),
            totp_secret: draw(&mut rng, BASE32, 32),
            session_id: session_id(&mut rng, 1),
            pk: OPERATOR_PK,
        }
    }
}

/// A session id in the form of a cookie value.
pub fn session_id(rng: &mut ChaCha8Rng, number: usize) -> String {
    let (nonce, tail) = (draw(rng, LETTERS, 14), draw(rng, LETTERS, 38));
    format!("{OPERATOR_PK}%3A{nonce}%3A{number}%3AAY{tail}")
}

fn draw(rng: &mut ChaCha8Rng, alphabet: &[u8], length: usize) -> String {
    (0..length)
        .map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())]))
        .collect()
}

/// Number of the password key.
const KEY_ID: u8 = 205;

struct PasswordKey {
    private: Pkcs1PrivateDecryptingKey,
    /// Base64 of the PEM text, as the reply header carries it.
    public: String,
}

/// Made on first use: generating takes long in a debug build, and most clients never log in.
fn password_key() -> &'static PasswordKey {
    static KEY: OnceLock<PasswordKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("RSA keys can be made");
        let der = key
            .public_key()
            .as_der()
            .expect("a fresh RSA key has a DER form");
        let code = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> = code
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
            .collect();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        );
        let private = Pkcs1PrivateDecryptingKey::new(key).expect("the key is an RSA key");
        PasswordKey {
            private,
            public: STANDARD.encode(pem),
        }
    })
}

/// The two reply headers that carry the password key.
pub fn password_key_headers() -> [(&'static str, String); 2] {
    [
        ("ig-set-password-encryption-key-id", KEY_ID.to_string()),
        (
            "ig-set-password-encryption-pub-key",
            password_key().public.clone(),
        ),
    ]
}

/// Decrypts `enc_password`. `None`, with a violation, when it cannot be.
pub fn decrypt(encoded: &str, now_ms: i64, found: &mut Violations) -> Option<String> {
    let Some((time, payload)) = encoded
        .strip_prefix("#PWD_INSTAGRAM:4:")
        .and_then(|rest| rest.split_once(':'))
    else {
        found.plain("password-form");
        return None;
    };
    match time.parse::<i64>() {
        Ok(s) if (s * 1000 - now_ms).abs() <= CLOCK_TOLERANCE_MS => {}
        _ => found.plain("password-time"),
    }
    let payload = STANDARD.decode(payload).ok();
    let parts = payload.as_deref().and_then(split);
    let Some(parts) = parts else {
        found.plain("password-form");
        return None;
    };
    if parts.key_id != KEY_ID {
        found.plain("password-key-id");
        return None;
    }
    let password = open(&parts, time);
    if password.is_none() {
        found.plain("password-undecryptable");
    }
    password
}

struct Parts<'a> {
    key_id: u8,
    iv: [u8; 12],
    rsa: &'a [u8],
    tag: &'a [u8],
    ciphertext: &'a [u8],
}

/// `0x01 | key id | IV (12) | length (2, little endian) | RSA block | tag (16) | ciphertext`
fn split(payload: &[u8]) -> Option<Parts<'_>> {
    let (head, rest) = payload.split_first_chunk::<16>()?;
    let length = usize::from(u16::from_le_bytes([head[14], head[15]]));
    if head[0] != 1 || length != 256 || rest.len() < length + 16 {
        return None;
    }
    let (rsa, rest) = rest.split_at(length);
    let (tag, ciphertext) = rest.split_at(16);
    let iv = head[2..14].try_into().ok()?;
    Some(Parts {
        key_id: head[1],
        iv,
        rsa,
        tag,
        ciphertext,
    })
}

fn open(parts: &Parts<'_>, time: &str) -> Option<String> {
    let private = &password_key().private;
    let mut buffer = vec![0; private.min_output_size()];
    let key = private.decrypt(parts.rsa, &mut buffer).ok()?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let mut sealed = [parts.ciphertext, parts.tag].concat();
    let nonce = Nonce::assume_unique_for_key(parts.iv);
    let plain = key
        .open_in_place(nonce, Aad::from(time.as_bytes()), &mut sealed)
        .ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

/// Whether `code` is the one-time code (RFC 6238: SHA-1, 30 s, six digits) of now or of one step
/// before or after.
pub fn is_one_time_code(secret: &str, code: &str, now_ms: i64) -> bool {
    let step = now_ms.div_euclid(30_000);
    (step - 1..=step + 1).any(|step| one_time_code(secret, step) == code)
}

fn one_time_code(secret: &str, step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &from_base32(secret));
    let digest = hmac::sign(&key, &step.to_be_bytes());
    let digest = digest.as_ref();
    let offset = usize::from(digest[19] & 0x0f);
    let word = [
        digest[offset] & 0x7f,
        digest[offset + 1],
        digest[offset + 2],
        digest[offset + 3],
    ];
    format!("{:06}", u32::from_be_bytes(word) % 1_000_000)
}

fn from_base32(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in text
        .bytes()
        .filter_map(|b| BASE32.iter().position(|d| *d == b))
    {
        bits = (bits << 5) | u32::try_from(digit).unwrap_or(0);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or(0));
        }
    }
    bytes
}
