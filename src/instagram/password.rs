//! `enc_password`: a password sealed for the platform's key.
//!
//! AES-256-GCM under a fresh key, that key under RSA (PKCS #1 v1.5). The layout has the tag before
//! the ciphertext and the length of the RSA block in little endian; the time stamp is authenticated.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::{Secret, Timestamp};
use crate::ports::PasswordKey;

const AES_KEY_LEN: usize = 32;

/// Seals `password`. `Err` says why the platform's key cannot be used.
pub fn encrypt(
    password: &Secret,
    key: &PasswordKey,
    now: Timestamp,
) -> Result<Secret, &'static str> {
    let mut aes_key = [0; AES_KEY_LEN];
    let mut iv = [0; NONCE_LEN];
    let random = rand::fill(&mut aes_key).and_then(|()| rand::fill(&mut iv));
    random.map_err(|_| "the system gives no random numbers")?;
    let rsa_block = wrap_key(&aes_key, &key.pem)?;
    let envelope = Envelope {
        key_id: key.id,
        seconds: now.as_secs(),
        aes_key,
        iv,
        rsa_block,
    };
    let sealed = envelope.seal(password.expose());
    sealed
        .map(Secret::new)
        .map_err(|_| "the password could not be sealed")
}

fn wrap_key(aes_key: &[u8], pem: &str) -> Result<Vec<u8>, &'static str> {
    let der: String = pem
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = STANDARD
        .decode(der)
        .map_err(|_| "the password key is not PEM")?;
    let key = PublicEncryptingKey::from_der(&der).map_err(|_| "the password key is not RSA")?;
    let seal = |key: PublicEncryptingKey| -> Result<Vec<u8>, Unspecified> {
        let key = Pkcs1PublicEncryptingKey::new(key)?;
        let mut block = vec![0; key.ciphertext_size()];
        let length = key.encrypt(aes_key, &mut block)?.len();
        block.truncate(length);
        Ok(block)
    };
    seal(key).map_err(|_| "the password key is too small")
}

struct Envelope {
    key_id: u8,
    seconds: i64,
    aes_key: [u8; AES_KEY_LEN],
    iv: [u8; NONCE_LEN],
    rsa_block: Vec<u8>,
}

impl Envelope {
    fn seal(self, password: &str) -> Result<String, Unspecified> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.aes_key)?);
        let nonce = Nonce::assume_unique_for_key(self.iv);
        let time = self.seconds.to_string();
        let mut text = password.as_bytes().to_vec();
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&time), &mut text)?;
        let rsa_length = u16::try_from(self.rsa_block.len()).map_err(|_| Unspecified)?;
        let mut payload = vec![1, self.key_id];
        payload.extend_from_slice(&self.iv);
        payload.extend_from_slice(&rsa_length.to_le_bytes());
        payload.extend_from_slice(&self.rsa_block);
        payload.extend_from_slice(tag.as_ref());
        payload.extend_from_slice(&text);
        Ok(format!(
            "#PWD_INSTAGRAM:4:{time}:{}",
            STANDARD.encode(payload)
        ))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
    use serde_json::Value;

    #[test]
    fn the_layout_agrees_with_the_recorded_vector() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/private/vectors.json"))
                .unwrap();
        let vector = &vectors["enc_password"];
        let mut aes_key = [0; AES_KEY_LEN];
        for (at, byte) in aes_key.iter_mut().enumerate() {
            *byte = u8::try_from(at).unwrap();
        }
        let envelope = Envelope {
            key_id: 205,
            seconds: 1_795_197_600,
            aes_key,
            iv: *b"defghijklmno",
            rsa_block: vec![0xab; 256],
        };
        assert_eq!(
            envelope.seal(vector["password"].as_str().unwrap()).unwrap(),
            vector["enc_password"].as_str().unwrap()
        );
    }

    #[test]
    fn the_holder_of_the_private_key_reads_the_password() {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let der: PublicKeyX509Der = private.public_key().as_der().unwrap();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        let key = PasswordKey { id: 7, pem };
        let now = Timestamp::from_secs(1_795_197_600);
        let sealed = encrypt(&Secret::new("hunter2 \u{e9}"), &key, now).unwrap();
        let payload = sealed
            .expose()
            .strip_prefix("#PWD_INSTAGRAM:4:1795197600:")
            .unwrap();
        let payload = STANDARD.decode(payload).unwrap();
        assert_eq!(payload[..2], [1, 7]);
        let (iv, rest) = payload[2..].split_at(12);
        assert_eq!(rest[..2], 256_u16.to_le_bytes());
        let (block, rest) = rest[2..].split_at(256);
        let (tag, text) = rest.split_at(16);
        let mut aes_key = vec![0; 256];
        let decrypting = Pkcs1PrivateDecryptingKey::new(private).unwrap();
        let aes_key = decrypting.decrypt(block, &mut aes_key).unwrap();
        let opening = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, aes_key).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(iv).unwrap();
        let mut joined = [text, tag].concat();
        let plain = opening
            .open_in_place(nonce, Aad::from("1795197600"), &mut joined)
            .unwrap();
        assert_eq!(plain, "hunter2 \u{e9}".as_bytes());
    }

    #[test]
    fn a_useless_key_is_refused_in_words() {
        for pem in [
            "",
            "nonsense",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ] {
            let key = PasswordKey {
                id: 1,
                pem: pem.to_owned(),
            };
            assert!(encrypt(&Secret::new("x"), &key, Timestamp::from_secs(1)).is_err());
        }
    }
}
