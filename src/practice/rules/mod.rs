//! What a request must look like, after fact sheet sections 2, 3 and 5 to 11: the server's own
//! tables, written down from the recordings and sharing nothing with the client.
//!
//! Every check yields short stable names such as `header-missing:X-IG-App-ID` or
//! `body-field-type:_uid`. A request with violations is still answered where it can be understood.

pub mod body;
pub mod calls;
pub mod headers;
pub mod items;
pub mod text;

/// Collects the names of what was wrong with one request.
#[derive(Debug, Default)]
pub struct Violations(Vec<String>);

impl Violations {
    /// Notes a violation of one named thing.
    pub fn of(&mut self, kind: &str, name: &str) {
        self.0.push(format!("{kind}:{name}"));
    }

    /// Notes a violation that needs no further name.
    pub fn plain(&mut self, kind: &str) {
        self.0.push(kind.to_owned());
    }

    /// The names, in the order found.
    pub fn into_names(self) -> Vec<String> {
        self.0
    }
}
