//! Instagram through its private mobile API: the [`Platform`] of a real pass.
//!
//! One call is one HTTP request. The device is completed once; the session's state headers are taken
//! over from every reply; what a reply means is decided in one place (`objections`). Nothing here
//! reads the clock or draws chance except through what it was given.

mod client;
mod cookies;
mod device;
mod encode;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod headers;
mod login;
mod objections;
mod password;
pub mod settings;
mod state;
pub mod totp;
mod wire;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use reqwest::header::{DATE, HeaderMap};
use serde_json::{Map, Value};

pub use client::SetupError;

use crate::config::{AppProfile, InstagramConfig};
use crate::model::{Device, HoldReason, Item, ItemId, ItemKind, Pk, Secret, Session, Timestamp};
use crate::ports::{
    Answer, Clock, Effect, Listing, LoginReply, Myself, Next, Objection, PasswordKey, Platform,
    PlatformError, SecondFactor, User,
};
use client::Transport;
use device::Profile;
use objections::Reply;
use state::State;
use wire::{Request, replies, requests};

/// A client of Instagram for one account.
pub struct Instagram<C> {
    transport: Transport,
    profile: Profile,
    /// What a new login appears as.
    app: AppProfile,
    clock: C,
    rng: ChaCha8Rng,
    /// New for every client, never saved.
    pigeon_session: String,
    session: Option<(Pk, State)>,
    /// State collected while a login is under way.
    newcomer: State,
    /// Stands in for the cookie `csrftoken` where the platform sent none.
    csrf_token: String,
}

impl<C: Clock> Instagram<C> {
    /// A client that appears as `device` (what is missing is made, once) and speaks for `session`.
    pub fn new(
        config: &InstagramConfig,
        device: Option<&Device>,
        session: Option<&Session>,
        clock: C,
        mut rng: ChaCha8Rng,
    ) -> Result<Self, SetupError> {
        let mut profile =
            Profile::complete(device, &config.app_profile, &mut rng).map_err(SetupError::Device)?;
        let session = match session {
            None => None,
            Some(session) => {
                let state = State::parse(session.json.expose()).map_err(SetupError::Session)?;
                Some((session.pk, on_machine(state, &mut profile)))
            }
        };
        Ok(Self {
            transport: Transport::new(config)?,
            profile,
            app: config.app_profile.clone(),
            clock,
            pigeon_session: format!("UFS-{}-1", device::random_uuid(&mut rng)),
            session,
            newcomer: State::default(),
            csrf_token: login::random_csrf_token(&mut rng),
            rng,
        })
    }

    /// The next login begins with the configured app version; the device stays the same otherwise.
    fn take_app_version(&mut self) {
        let updated = device::with_app(&self.profile.device(), &self.app)
            .and_then(|device| Profile::complete(Some(&device), &self.app, &mut self.rng));
        match updated {
            Ok(profile) => self.profile = profile,
            Err(problem) => log::warn!("the app version of the device stays as it is: {problem}"),
        }
    }

    /// Sends a request of a logged-in client and reads its answer.
    fn ask<T>(
        &mut self,
        request: impl FnOnce(Pk, &Profile, &mut ChaCha8Rng) -> Request,
        parse: impl FnOnce(&Map<String, Value>) -> Result<T, replies::Missing>,
    ) -> Answer<T> {
        let Some((pk, state)) = &mut self.session else {
            return unsent(no_session());
        };
        let pk = *pk;
        let request = request(pk, &self.profile, &mut self.rng);
        let now = self.clock.now();
        let headers = headers::of_app(&self.profile, &self.pigeon_session, state, Some(pk), now);
        let (headers, reply) = match self.transport.send(&request, headers) {
            Ok(answered) => answered,
            Err(error) => return unsent(error),
        };
        let now = self.clock.now();
        let before = state.clone();
        state.absorb(&headers, Some(pk), now);
        if let Some(machine_id) = state.machine_id() {
            self.profile.machine_id = Some(machine_id.to_owned());
        }
        Answer {
            result: understood(&request, &reply, now, parse),
            server_time: server_time(&headers),
            session: (*state != before).then(|| state.session(pk)),
        }
    }
}

/// A session without a machine id takes the device's over, and the other way round.
fn on_machine(mut state: State, profile: &mut Profile) -> State {
    match state.machine_id() {
        Some(machine_id) => profile.machine_id = Some(machine_id.to_owned()),
        None => state.mid.clone_from(&profile.machine_id),
    }
    state
}

/// The content of a good reply.
fn understood<T>(
    request: &Request,
    reply: &Reply,
    now: Timestamp,
    parse: impl FnOnce(&Map<String, Value>) -> Result<T, replies::Missing>,
) -> Result<T, PlatformError> {
    let content = objections::read(reply, request.label, request.scope, now)?;
    parse(&content).map_err(|missing| objections::incomplete(request.label, missing))
}

/// An answer without a reply.
fn unsent<T>(error: PlatformError) -> Answer<T> {
    Answer {
        result: Err(error),
        server_time: None,
        session: None,
    }
}

/// Without a session nothing but a login is sent: the platform would only object.
fn no_session() -> PlatformError {
    PlatformError {
        next: Next::Stop(Objection {
            reason: HoldReason::LoginRequired,
            until: None,
        }),
        effect: Effect::Unsent,
        message:
            "there is no login session \u{b7} nothing was sent \u{b7} log in with `story-liker \
                  login` or bring a session with `story-liker session import FILE`"
                .to_owned(),
    }
}

fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    encode::http_date(headers.get(DATE)?.to_str().ok()?)
}

impl<C: Clock> Platform for Instagram<C> {
    fn current_user(&mut self) -> Answer<Myself> {
        self.ask(
            |_, _, _| requests::current_user(),
            |reply| replies::myself(reply, "user"),
        )
    }

    fn user_by_name(&mut self, username: &str) -> Answer<User> {
        self.ask(|_, _, _| requests::user_by_name(username), replies::user)
    }

    fn stories(&mut self, owner: Pk) -> Answer<Listing> {
        self.ask(
            |_, _, _| requests::stories(owner),
            |reply| replies::stories(reply, owner),
        )
    }

    fn posts(&mut self, owner: Pk, page: Option<&str>) -> Answer<Listing> {
        self.ask(
            |own, profile, _| requests::posts(owner, page, own, profile),
            |reply| replies::posts(reply, owner),
        )
    }

    fn media_info(&mut self, kind: ItemKind, id: ItemId) -> Answer<Item> {
        self.ask(
            |_, _, _| requests::media_info(id),
            |reply| replies::media_info(reply, kind, id),
        )
    }

    fn view_story(&mut self, story: &Item) -> Answer<()> {
        // Nobody sees a story before it is there, whatever the local clock says.
        let seen_at = self.clock.now().max(story.taken_at);
        self.ask(
            |_, profile, _| requests::view_story(story.id, story.taken_at, seen_at, profile),
            |_| Ok(()),
        )
    }

    fn like(&mut self, item: &Item) -> Answer<()> {
        self.ask(
            |own, profile, rng| {
                let feed_position = rng.random_range(0..=6);
                requests::like(item.kind, item.id, own, profile, feed_position)
            },
            |_| Ok(()),
        )
    }

    fn login_prepare(&mut self) -> Answer<()> {
        login::prepare(self)
    }

    fn login_key(&mut self) -> Answer<PasswordKey> {
        login::key(self)
    }

    fn login_password(
        &mut self,
        username: &str,
        password: &Secret,
        key: &PasswordKey,
    ) -> Answer<LoginReply> {
        login::password(self, username, password, key)
    }

    fn login_code(
        &mut self,
        username: &str,
        code: &Secret,
        factor: &SecondFactor,
    ) -> Answer<Myself> {
        login::code(self, username, code, factor)
    }

    fn device(&self) -> Device {
        self.profile.device()
    }

    fn use_session(&mut self, session: Option<Session>) {
        if session.is_none() {
            self.take_app_version();
        }
        self.session = session.and_then(|session| {
            match State::parse(session.json.expose()) {
                Ok(state) => Some((session.pk, on_machine(state, &mut self.profile))),
                // Then calls end at `no_session`, unsent.
                Err(problem) => {
                    log::error!("the session cannot be used: {problem}");
                    None
                }
            }
        });
    }
}
