//! An Instagram client for tests: fixed clock, fixed seed, invented session.

use std::net::SocketAddr;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use story_liker::clock::VirtualClock;
use story_liker::config::{AppProfile, BaseUrl, InstagramConfig};
use story_liker::instagram::{Instagram, settings};
use story_liker::model::{Item, ItemKind, Pk, Session, Timestamp};

/// 2026-11-20 18:00:00 UTC, the moment of the recorded replies.
pub const NOW: Timestamp = Timestamp::from_secs(1_795_197_600);

pub const SESSION_ID: &str = "71000000001%3ASyntheticSess01%3A12%3AAYsynthetic";

pub fn config(base_url: BaseUrl) -> InstagramConfig {
    InstagramConfig {
        base_url,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(20),
        ca_file: None,
        app_profile: AppProfile {
            app_version: "449.0.0.52.84".to_owned(),
            version_code: "1079242191".to_owned(),
            bloks_version_id: "799db3e387d7a21a19c72918b8698b6cd28a1516ade363792c100ed45a0f9f0b"
                .to_owned(),
        },
    }
}

pub fn session() -> Session {
    settings::from_session_id(SESSION_ID).unwrap()
}

pub fn logged_in(address: SocketAddr) -> Instagram<VirtualClock> {
    client(&config(BaseUrl::LoopbackPlain(address)), Some(&session()))
}

pub fn logged_out(address: SocketAddr) -> Instagram<VirtualClock> {
    client(&config(BaseUrl::LoopbackPlain(address)), None)
}

pub fn client(config: &InstagramConfig, session: Option<&Session>) -> Instagram<VirtualClock> {
    let rng = ChaCha8Rng::seed_from_u64(1);
    Instagram::new(config, None, session, VirtualClock::new(NOW), rng).unwrap()
}

pub fn pk(text: &str) -> Pk {
    text.parse().unwrap()
}

pub fn item(kind: ItemKind) -> Item {
    Item {
        kind,
        id: "4034671962997715712_72000000002".parse().unwrap(),
        code: None,
        taken_at: Timestamp::from_secs(1_795_190_400),
        expiring_at: None,
        has_liked: Some(false),
        pinned: false,
    }
}
