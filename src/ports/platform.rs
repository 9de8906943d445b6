//! Instagram, as a pass needs it: one request per call, and an answer that says what to do next.

use thiserror::Error;

use crate::model::{
    Device, HoldReason, Item, ItemId, ItemKind, Pk, Secret, Session, TargetTrouble, Timestamp,
};

/// What one request brought back. Exactly one HTTP request was made, or none where
/// [`Effect::Unsent`] says so.
#[derive(Debug)]
pub struct Answer<T> {
    /// The content, or why there is none.
    pub result: Result<T, PlatformError>,
    /// The reply's `Date` header (whole seconds).
    pub server_time: Option<Timestamp>,
    /// The session as it stands after the reply, if any state header changed it.
    pub session: Option<Session>,
}

/// A request without the wanted answer.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct PlatformError {
    /// What the caller does next.
    pub next: Next,
    /// Whether the request can have had its effect.
    pub effect: Effect,
    /// One line for the operator: what came back, without any secret and without more than the
    /// first words of a body.
    pub message: String,
}

/// What the caller does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The connection broke or never stood: a read may be repeated once, with a new pause and a new
    /// claim; a write never. If that fails as well, the pass ends.
    RepeatRead,
    /// No answer in time, 5xx, 408 or 405: end the pass.
    EndPass,
    /// This target cannot be seen at present: go on with the others.
    SkipTarget(TargetTrouble),
    /// This item is gone or not visible: go on with the others.
    SkipGoneItem,
    /// The platform calls the item id invalid: go on, and never try it again.
    SkipInvalidItem,
    /// An objection: store a hold with the outcome, then stop.
    Stop(Objection),
}

/// Whether a request can have had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// No byte left: DNS, connect or TLS failed.
    Unsent,
    /// The platform read it and said no.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// The ways in which the platform says stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Which one.
    pub reason: HoldReason,
    /// Until when, if the answer itself said so (`Retry-After`, a date in an action block).
    pub until: Option<Timestamp>,
}

/// Whose session it is, as `current_user` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Myself {
    /// The account's permanent id.
    pub pk: Pk,
    /// Its present user name.
    pub username: String,
}

/// A looked-up user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Permanent id.
    pub pk: Pk,
    /// Present user name, lower case.
    pub username: String,
    /// A private profile; its items are visible only to followers it accepted.
    pub is_private: bool,
    /// Whether this account follows it, where the platform said so.
    pub following: Option<bool>,
}

/// One page of a user's items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The readable items, in the platform's order.
    pub items: Vec<Item>,
    /// How many items could not be read and were left out.
    pub unreadable: u32,
    /// The owner's present user name, if the reply named it.
    pub owner_name: Option<String>,
    /// Cursor of the next page; `None` at the end (stories always).
    pub next_page: Option<String>,
}

/// The key a password is encrypted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordKey {
    /// 0 to 255.
    pub id: u8,
    /// The PEM text, as sent.
    pub pem: String,
}

/// What a submitted password led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginReply {
    /// Logged in; the answer's `session` is the new one.
    LoggedIn(Myself),
    /// A second factor is asked for.
    SecondFactor(SecondFactor),
}

/// What the platform offers as second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Names this login attempt; to be sent back with the code.
    pub identifier: Secret,
    /// An authenticator app's code is accepted.
    pub totp: bool,
    /// A text message has been sent.
    pub sms: bool,
}

/// Instagram, one request per call. No implementation repeats a request.
pub trait Platform {
    /// The proof of life: whose session this is.
    fn current_user(&mut self) -> Answer<Myself>;
    /// Looks a user up by name.
    fn user_by_name(&mut self, username: &str) -> Answer<User>;
    /// The stories a user shows at present, oldest first.
    fn stories(&mut self, owner: Pk) -> Answer<Listing>;
    /// One page of a user's posts: newest first, except pinned ones, which lead the first page.
    fn posts(&mut self, owner: Pk, page: Option<&str>) -> Answer<Listing>;
    /// One item by its id, to read whether it is liked.
    fn media_info(&mut self, kind: ItemKind, id: ItemId) -> Answer<Item>;
    /// Marks a story as seen; its author can tell.
    fn view_story(&mut self, story: &Item) -> Answer<()>;
    /// Likes a story or a post.
    fn like(&mut self, item: &Item) -> Answer<()>;

    /// First request of a login: introduces the device.
    fn login_prepare(&mut self) -> Answer<()>;
    /// Second request of a login: the key to encrypt the password with.
    fn login_key(&mut self) -> Answer<PasswordKey>;
    /// Submits the password.
    fn login_password(
        &mut self,
        username: &str,
        password: &Secret,
        key: &PasswordKey,
    ) -> Answer<LoginReply>;
    /// Submits a code of an authenticator app.
    fn login_code(
        &mut self,
        username: &str,
        code: &Secret,
        factor: &SecondFactor,
    ) -> Answer<Myself>;

    /// The device as it stands (missing parts made once), to be stored if the account has none.
    fn device(&self) -> Device;
    /// Replaces the session in use, after a login or an import, or drops it before a login, which
    /// then begins with the configured app version.
    fn use_session(&mut self, session: Option<Session>);
}
