//! The Instagram client against the practice Instagram, which shares no code with it: every call,
//! over TLS with HTTP/2 and over plain HTTP, without a single violation.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use story_liker::clock::VirtualClock;
use story_liker::config::BaseUrl;
use story_liker::instagram::{Instagram, settings, totp};
use story_liker::model::{HoldReason, ItemKind, Secret, Session};
use story_liker::ports::{
    Clock as _, Effect, LoginReply, Next, Objection, Platform, PlatformError,
};
use story_liker::practice::switches::{Echo, Ids, Switches};
use story_liker::practice::trouble::Trouble;
use story_liker::practice::{Options, Server, Wire};
use support::client::{NOW, config};
use support::relay::Relay;

/// A practice Instagram and a client of it, on one clock.
struct Practice {
    server: Server,
    clock: VirtualClock,
    ca_file: tempfile::NamedTempFile,
    instagram: Instagram<VirtualClock>,
}

impl Practice {
    fn start(wire: Wire, logged_in: bool) -> Self {
        let clock = VirtualClock::new(NOW);
        let mut options = Options::rehearsal(7, Arc::new(clock.clone()));
        options.wire = wire;
        let server = Server::start(options).unwrap();
        let mut ca_file = tempfile::NamedTempFile::new().unwrap();
        let base_url = match wire {
            Wire::Tls => BaseUrl::LoopbackTls(server.address()),
            Wire::Plain => BaseUrl::LoopbackPlain(server.address()),
        };
        let mut config = config(base_url);
        if let Some(pem) = server.ca_pem() {
            ca_file.write_all(pem.as_bytes()).unwrap();
            config.ca_file = Some(ca_file.path().to_owned());
        }
        let session = settings::from_session_id(&server.credentials().session_id).unwrap();
        let session = logged_in.then_some(&session);
        let rng = ChaCha8Rng::seed_from_u64(1);
        let instagram = Instagram::new(&config, None, session, clock.clone(), rng).unwrap();
        Self {
            server,
            clock,
            ca_file,
            instagram,
        }
    }

    /// A second client, which reaches the same server through `relay`.
    fn client_through(&self, relay: &Relay) -> Instagram<VirtualClock> {
        self.client_within(
            config(BaseUrl::LoopbackTls(relay.address)).connect_timeout,
            relay,
        )
    }

    fn client_within(&self, connect_timeout: Duration, relay: &Relay) -> Instagram<VirtualClock> {
        let mut config = config(BaseUrl::LoopbackTls(relay.address));
        config.ca_file = Some(self.ca_file.path().to_owned());
        config.connect_timeout = connect_timeout;
        let session = settings::from_session_id(&self.server.credentials().session_id).unwrap();
        let rng = ChaCha8Rng::seed_from_u64(2);
        Instagram::new(&config, None, Some(&session), self.clock.clone(), rng).unwrap()
    }

    fn assert_flawless(&self) {
        let flawed: Vec<_> = self
            .server
            .record()
            .into_iter()
            .filter(|entry| !entry.violations.is_empty())
            .collect();
        assert!(flawed.is_empty(), "{flawed:#?}");
    }

    fn switch(&self, change: impl FnOnce(&mut Switches)) {
        let mut switches = self.server.switches();
        change(&mut switches);
        self.server.set_switches(switches);
    }

    fn met(&mut self, reply: &str) -> PlatformError {
        self.server.arm(Trouble::new("any", reply).unwrap());
        self.instagram.current_user().result.unwrap_err()
    }
}

const BOTH: [Wire; 2] = [Wire::Tls, Wire::Plain];

#[test]
fn every_call_of_a_pass_is_flawless_over_both_wires_and_with_ids_of_any_form() {
    for (wire, ids) in BOTH
        .into_iter()
        .flat_map(|wire| [Ids::Mixed, Ids::Numbers, Ids::Strings].map(|ids| (wire, ids)))
    {
        let mut practice = Practice::start(wire, true);
        practice.switch(|switches| switches.ids = ids);
        assert_eq!(practice.server.switches().echo, Echo::Strict);
        let target = practice.server.targets()[0].clone();
        let instagram = &mut practice.instagram;
        let myself = instagram.current_user().result.unwrap();
        assert_eq!(
            myself.pk.to_string(),
            practice.server.credentials().pk.to_string()
        );
        let user = instagram.user_by_name(&target).result.unwrap();
        assert_eq!(user.username, target);

        let stories = instagram.stories(user.pk).result.unwrap();
        assert_eq!(stories.unreadable, 0);
        let story = &stories.items[0];
        instagram.view_story(story).result.unwrap();
        instagram.like(story).result.unwrap();
        let read = instagram
            .media_info(ItemKind::Story, story.id)
            .result
            .unwrap();
        assert_eq!(read.has_liked, Some(true));

        let first = instagram.posts(user.pk, None).result.unwrap();
        let cursor = first.next_page.clone().unwrap();
        let second = instagram.posts(user.pk, Some(&cursor)).result.unwrap();
        assert!(second.items.iter().all(|item| !first.items.contains(item)));
        instagram.like(&first.items[0]).result.unwrap();

        practice.assert_flawless();
        assert_eq!(practice.server.likes_per_item().len(), 2);
        assert!(
            practice
                .server
                .likes_per_item()
                .values()
                .all(|likes| *likes == 1)
        );
        let media = story.id.media.to_string().parse().unwrap();
        assert!(
            practice.server.is_delivered(media, true),
            "seen before liked"
        );
    }
}

#[test]
fn a_login_with_a_password_and_a_code_is_flawless_and_leads_to_a_living_session() {
    for (wire, two_factor) in [(Wire::Tls, true), (Wire::Tls, false), (Wire::Plain, true)] {
        let mut practice = Practice::start(wire, false);
        practice.switch(|switches| switches.two_factor = two_factor);
        let known = practice.server.credentials();
        let password = Secret::new(known.password);
        let instagram = &mut practice.instagram;
        instagram.login_prepare().result.unwrap();
        let key = instagram.login_key().result.unwrap();
        let answer = instagram.login_password(&known.username, &password, &key);
        let session = match answer.result.unwrap() {
            LoginReply::LoggedIn(_) => answer.session.unwrap(),
            LoginReply::SecondFactor(factor) => {
                assert!(two_factor && factor.totp);
                assert_eq!(answer.session, None);
                let secret = Secret::new(known.totp_secret);
                let code = totp::code(&secret, practice.clock.now()).unwrap();
                let answer = instagram.login_code(&known.username, &code, &factor);
                answer.result.unwrap();
                answer.session.unwrap()
            }
        };
        assert_eq!(session.pk.to_string(), known.pk.to_string());
        let myself = practice.instagram.current_user().result.unwrap();
        assert_eq!(myself.pk, session.pk);
        practice.assert_flawless();
    }
}

#[test]
fn the_state_of_every_reply_is_in_the_session_that_the_next_process_uses() {
    let mut practice = Practice::start(Wire::Plain, true);
    let mut latest: Option<Session> = None;
    for _ in 0..3 {
        let answer = practice.instagram.current_user();
        answer.result.unwrap();
        latest = answer.session.or(latest);
        // Another process would begin with what was stored.
        practice.instagram.use_session(latest.clone());
    }
    assert!(latest.is_some());
    practice.assert_flawless();
}

#[test]
fn refusals_arrive_as_what_they_are() {
    for (reply, reason) in [
        ("login_required", HoldReason::LoginRequired),
        ("challenge_required", HoldReason::Challenge),
        ("please_wait_401", HoldReason::PleaseWait),
        ("429_empty", HoldReason::Throttled),
        ("404_not_found_text", HoldReason::Challenge),
        ("200_html_login_page", HoldReason::UnknownShape),
        ("redirect", HoldReason::UnknownShape),
        ("non_utf8", HoldReason::UnknownShape),
        ("oversized", HoldReason::UnknownShape),
        ("gzip_bomb", HoldReason::UnknownShape),
    ] {
        let mut practice = Practice::start(Wire::Tls, true);
        let error = practice.met(reply);
        let until = None;
        assert_eq!(
            error.next,
            Next::Stop(Objection { reason, until }),
            "{reply}"
        );
    }
}

#[test]
fn broken_answers_over_http_2_have_an_unknown_effect() {
    for reply in ["drop", "truncated"] {
        let mut practice = Practice::start(Wire::Tls, true);
        let error = practice.met(reply);
        assert_eq!(
            (error.next, error.effect),
            (Next::RepeatRead, Effect::Unknown),
            "{reply}"
        );
        assert_eq!(practice.server.record().len(), 1, "{reply}");
    }
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_before_anything_is_sent() {
    let practice = Practice::start(Wire::Tls, true);
    let other = Practice::start(Wire::Tls, true);
    let mut config = config(BaseUrl::LoopbackTls(practice.server.address()));
    config.ca_file = Some(other.ca_file.path().to_owned());
    let session = settings::from_session_id(&practice.server.credentials().session_id).unwrap();
    let rng = ChaCha8Rng::seed_from_u64(1);
    let clock = practice.clock.clone();
    let mut instagram = Instagram::new(&config, None, Some(&session), clock, rng).unwrap();
    let error = instagram.current_user().result.unwrap_err();
    assert_eq!(error.effect, Effect::Unsent, "{}", error.message);
    assert!(practice.server.record().is_empty());
}

#[test]
fn one_handshake_serves_a_pass() {
    let practice = Practice::start(Wire::Tls, true);
    let relay = Relay::to(practice.server.address());
    let mut instagram = practice.client_through(&relay);
    let target = instagram
        .user_by_name(&practice.server.targets()[0])
        .result
        .unwrap();
    let stories = instagram.stories(target.pk).result.unwrap().items;
    for story in &stories {
        instagram.view_story(story).result.unwrap();
        instagram.like(story).result.unwrap();
    }
    assert_eq!(relay.connections(), 1);
}

#[test]
fn a_like_after_the_connection_was_lost_while_idle_arrives_at_most_once() {
    let practice = Practice::start(Wire::Tls, true);
    let relay = Relay::to(practice.server.address());
    let mut instagram = practice.client_through(&relay);
    let target = instagram
        .user_by_name(&practice.server.targets()[0])
        .result
        .unwrap();
    let stories = instagram.stories(target.pk).result.unwrap().items;
    relay.cut();
    let answer = instagram.like(&stories[0]);
    let arrived: u32 = practice.server.likes_per_item().values().sum();
    match answer.result {
        Ok(()) => assert_eq!(arrived, 1),
        Err(error) => assert!(arrived == 0 || error.effect == Effect::Unknown),
    }
}

#[test]
fn a_handshake_that_never_ends_sent_nothing() {
    let practice = Practice::start(Wire::Tls, true);
    let relay = Relay::silent();
    let error = practice
        .client_within(Duration::from_millis(400), &relay)
        .current_user()
        .result
        .unwrap_err();
    assert_eq!(error.effect, Effect::Unsent, "{}", error.message);
    assert!(practice.server.record().is_empty());
}

#[test]
fn a_server_of_plain_http_is_not_spoken_to_over_tls() {
    let practice = Practice::start(Wire::Tls, true);
    let plain = Practice::start(Wire::Plain, true);
    let relay = Relay::to(plain.server.address());
    let error = practice
        .client_through(&relay)
        .current_user()
        .result
        .unwrap_err();
    assert_eq!(error.effect, Effect::Unsent, "{}", error.message);
    assert!(plain.server.record().is_empty());
}
