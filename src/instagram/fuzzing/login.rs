//! What must hold of what a login is given: the platform's key, the operator's secret.

use super::{NOW, headers};
use crate::instagram::wire::replies;
use crate::instagram::{password, totp};
use crate::model::Secret;

const PASSWORD: &str = "hunter2 hunter2";

/// Header lines with the key that passwords are sealed with.
pub fn password_key(bytes: &[u8]) {
    let (headers, pem) = headers(bytes);
    let key = match replies::password_key(&headers) {
        Ok(key) => key,
        Err(missing) => {
            assert!(missing.starts_with("ig-set-password-encryption-"));
            // Base 64 is hard to hit upon: what is behind the headers is tried as the key itself.
            crate::ports::PasswordKey {
                id: 1,
                pem: String::from_utf8_lossy(pem).into_owned(),
            }
        }
    };
    match password::encrypt(&Secret::new(PASSWORD), &key, NOW) {
        Ok(sealed) => {
            let sealed = sealed.expose();
            assert!(sealed.starts_with("#PWD_INSTAGRAM:4:1795197600:"));
            assert!(!sealed.contains(PASSWORD), "the password in the open");
        }
        Err(problem) => assert!(!problem.contains(PASSWORD)),
    }
}

/// What an authenticator app is set up with.
pub fn totp_secret(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // A refusal is a fixed sentence and cannot show anything.
    if let Ok(code) = totp::code(&Secret::new(text.as_ref()), NOW) {
        assert_eq!(code.expose().len(), 6);
        let plain: String = text.split([' ', '-', '=']).collect();
        let again = totp::code(&Secret::new(plain.to_lowercase()), NOW);
        assert_eq!(again, Ok(code), "blanks and dashes are for reading");
    }
}
