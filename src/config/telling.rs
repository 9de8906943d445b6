//! Who is told how passes go: a monitor that is pinged, a person who is notified. Both addresses
//! open to whoever knows them, so they are treated like passwords.

use super::resolver::Resolver;
use super::secrets;
use super::value::{Origin, Value};
use super::{NotifyConfig, parse};
use crate::model::Secret;

impl Resolver<'_> {
    /// `ping.url`.
    pub(super) fn ping(&mut self) -> Option<Secret> {
        self.address(secrets::PING_URL)
    }

    /// `notify.command` and `notify.url`.
    pub(super) fn notify(&mut self) -> NotifyConfig {
        let command = self.optional(
            "notify.command",
            "a program and its arguments as a list, for example [\"mail\", \"-s\", \
             \"story-liker\", \"you@example.org\"]",
            parse::program,
        );
        let command = command.unwrap_or_default();
        if !command.is_empty() {
            let shown = command.iter().cloned().map(Value::Text);
            self.show("notify.command", Some(Value::List(shown.collect())));
        }
        NotifyConfig {
            command,
            url: self.address(secrets::NOTIFY_URL),
        }
    }

    fn address(&mut self, kind: secrets::Kind) -> Option<Secret> {
        let address = self.secret(kind)?;
        match parse::address(address.expose()) {
            // As it was understood, not as it was written: `HTTPS://` and blanks are forgiven once.
            Ok(address) => Some(Secret::new(address)),
            Err(problem) => {
                let origin: Origin = self.origin_of(kind.key);
                let refused = secrets::Refused {
                    origin,
                    problem: problem.to_owned(),
                    remedy: "allowed: an address that begins with https://, or with http:// on \
                             this machine (127.0.0.1)"
                        .to_owned(),
                };
                self.secret_mistake(kind.key, refused);
                None
            }
        }
    }
}
