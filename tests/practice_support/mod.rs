//! Talking to the practice server by hand: a raw HTTP/1.1 client over a socket, and requests written
//! down from the fact sheet. Nothing here is made from the server's own tables.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses its own part of this.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use story_liker::practice::clock::PracticeClock;
use story_liker::practice::switches::Switches;
use story_liker::practice::world::{Item, Kind, World};
use story_liker::practice::{Options, Server, Wire};

/// 2026-11-20 18:00:00 UTC.
pub const START_S: i64 = 1_795_197_600;
pub const OPERATOR: u64 = 71_000_000_001;
pub const DEVICE: &str = "0a1b2c3d-0000-4000-8000-00000000000a";
pub const PHONE: &str = "0a1b2c3d-0000-4000-9000-00000000000b";
pub const ANDROID: &str = "android-0123456789abcdef";
pub const OTHER_UUID: &str = "0a1b2c3d-0000-4000-a000-00000000000c";
pub const CAPABILITIES: &str = r#"[{"value": "119.0,120.0,121.0,122.0,123.0,124.0,125.0,126.0,127.0,128.0,129.0,130.0,131.0,132.0,133.0,134.0,135.0,136.0,137.0,138.0,139.0,140.0,141.0,142.0", "name": "SUPPORTED_SDK_VERSIONS"}, {"value": "14", "name": "FACE_TRACKER_VERSION"}, {"value": "ETC2_COMPRESSION", "name": "COMPRESSION"}, {"value": "gyroscope_enabled", "name": "gyroscope"}]"#;

/// A clock that moves only when told, or when a request spends latency.
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START_S * 1000)))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl PracticeClock for HandClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn spend(&self, latency: Duration) {
        self.0.fetch_add(
            i64::try_from(latency.as_millis()).unwrap(),
            Ordering::SeqCst,
        );
    }
}

/// A server with one friend who has two stories and fourteen posts, a private and a quiet user.
pub struct Practice {
    pub server: Server,
    pub clock: Arc<HandClock>,
    pub friend: u64,
    pub private: u64,
    pub quiet: u64,
    pub stories: Vec<Item>,
    pub posts: Vec<Item>,
    pub expired: Item,
}

impl Practice {
    pub fn start() -> Self {
        Self::with(Switches::default())
    }

    pub fn with(switches: Switches) -> Self {
        let clock = HandClock::new();
        let mut world = World::empty(START_S * 1000);
        let friend = world.add_user("sandbox.friend");
        let private = world.add_user("sandbox.private");
        let quiet = world.add_user("sandbox.quiet");
        world.user_mut(private).unwrap().private_from = Some(0);
        world.add_story(private, START_S - 60);
        let expired = world.add_story(friend, START_S - 90_000);
        let stories = [7200, 3600]
            .map(|ago| world.add_story(friend, START_S - ago))
            .to_vec();
        let mut posts: Vec<Item> = (1..=13)
            .map(|day| world.add_post(friend, START_S - day * 86_400))
            .collect();
        posts.insert(
            0,
            world.add(friend, friend, Kind::Post, START_S - 900 * 86_400, 1, true),
        );
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            wire: Wire::Plain,
            seed: 7,
            clock: clock.clone(),
            world,
            switches,
            client_timeout: Duration::from_secs(20),
        };
        let server = Server::start(options).unwrap();
        Self {
            server,
            clock,
            friend,
            private,
            quiet,
            stories,
            posts,
            expired,
        }
    }

    pub fn now_s(&self) -> i64 {
        self.clock.now_ms().div_euclid(1000)
    }

    pub fn session_id(&self) -> String {
        self.server.credentials().session_id
    }

    /// Sends a request; `None` when the connection ends without an answer.
    pub fn send(&self, request: &Sketch) -> Option<Reply> {
        exchange(&self.server.address().to_string(), &request.wire())
    }

    /// What the server noted about the last request.
    pub fn last_violations(&self) -> Vec<String> {
        self.server.record().last().unwrap().violations.clone()
    }

    /// Sends a request that must be answered, and returns the answer and what was noted.
    pub fn ask(&self, request: &Sketch) -> (Reply, Vec<String>) {
        let reply = self.send(request).expect("answered");
        (reply, self.last_violations())
    }

    pub fn get(&self, target: &str) -> Sketch {
        Sketch {
            method: "GET",
            target: target.to_owned(),
            headers: self.logged_in_headers(),
            body: Payload::None,
        }
    }

    pub fn post(&self, target: &str, fields: Vec<(&str, Value)>) -> Sketch {
        let fields = fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        let mut headers = self.logged_in_headers();
        headers.push((
            "Content-Type".to_owned(),
            "application/x-www-form-urlencoded; charset=UTF-8".to_owned(),
        ));
        Sketch {
            method: "POST",
            target: target.to_owned(),
            headers,
            body: Payload::Signed(fields),
        }
    }

    pub fn logged_in_headers(&self) -> Vec<(String, String)> {
        let mut headers = private_headers(self.clock.now_ms());
        set(&mut headers, "IG-INTENDED-USER-ID", &OPERATOR.to_string());
        set(&mut headers, "IG-U-DS-USER-ID", &OPERATOR.to_string());
        set(&mut headers, "Authorization", &bearer(&self.session_id()));
        headers
    }

    pub fn current_user(&self) -> Sketch {
        self.get("/api/v1/accounts/current_user/?edit=true")
    }

    pub fn lookup(&self, name: &str) -> Sketch {
        self.get(&format!("/api/v1/users/{name}/usernameinfo/"))
    }

    pub fn stories_of(&self, pk: u64) -> Sketch {
        let query = form_encode(CAPABILITIES);
        self.get(&format!(
            "/api/v1/feed/user/{pk}/story/?supported_capabilities_new={query}"
        ))
    }

    pub fn posts_of(&self, pk: u64, max_id: &str) -> Sketch {
        let token = format!("{OPERATOR}_{OTHER_UUID}");
        self.get(&format!(
            "/api/v1/feed/user/{pk}/?max_id={max_id}&count=33&rank_token={token}&ranked_content=true"
        ))
    }

    pub fn media_info(&self, id: &str) -> Sketch {
        self.get(&format!("/api/v1/media/{id}/info/"))
    }

    pub fn seen(&self, story: &Item) -> Sketch {
        let key = format!("{}_{}_{}", story.pk, story.author, story.author);
        let times = format!("{}_{}", story.taken_at, self.now_s());
        self.post(
            "/api/v2/media/seen/?reel=1&live_vod=0",
            vec![
                ("_uuid", json!(DEVICE)),
                ("device_id", json!(ANDROID)),
                ("container_module", json!("feed_timeline")),
                ("live_vods_skipped", json!({})),
                ("nuxes_skipped", json!({})),
                ("nuxes", json!({})),
                ("reels", json!({ key: [times] })),
                ("live_vods", json!({})),
                ("reel_media_skipped", json!({})),
            ],
        )
    }

    pub fn story_like(&self, id: &str) -> Sketch {
        self.post(
            "/api/v1/story_interactions/send_story_like",
            vec![
                ("_uuid", json!(DEVICE)),
                ("device_id", json!(ANDROID)),
                ("radio_type", json!("wifi-none")),
                ("media_id", json!(id)),
                ("_uid", json!(OPERATOR.to_string())),
                ("source_of_like", json!("button")),
                ("tray_session_id", json!(OTHER_UUID)),
                ("viewer_session_id", json!(OTHER_UUID)),
                ("container_module", json!("reel_feed_timeline")),
            ],
        )
    }

    pub fn post_like(&self, id: &str) -> Sketch {
        self.post(
            &format!("/api/v1/media/{id}/like/"),
            vec![
                ("_uuid", json!(DEVICE)),
                ("device_id", json!(ANDROID)),
                ("radio_type", json!("wifi-none")),
                ("inventory_source", json!("media_or_ad")),
                ("media_id", json!(id)),
                ("_uid", json!(OPERATOR.to_string())),
                ("delivery_class", json!("organic")),
                ("tap_source", json!("button")),
                ("is_2m_enabled", json!("false")),
                ("is_from_swipe", json!("false")),
                ("is_carousel_bumped_post", json!("false")),
                ("floating_context_items", json!("[]")),
                ("media_pct_watched", json!("0")),
                ("container_module", json!("feed_timeline")),
                ("feed_position", json!("3")),
            ],
        )
    }

    pub fn practice_post(&self, page: &str, body: &str) -> Reply {
        let sketch = Sketch {
            method: "POST",
            target: format!("/practice/{page}"),
            headers: vec![("Host".to_owned(), "127.0.0.1".to_owned())],
            body: Payload::Raw(body.as_bytes().to_vec()),
        };
        self.send(&sketch)
            .expect("the practice pages always answer")
    }

    pub fn practice_get(&self, page: &str) -> Value {
        let sketch = Sketch {
            method: "GET",
            target: format!("/practice/{page}"),
            headers: vec![("Host".to_owned(), "127.0.0.1".to_owned())],
            body: Payload::None,
        };
        self.send(&sketch)
            .expect("the practice pages always answer")
            .json()
    }
}

/// The headers of fact sheet section 2, logged out.
pub fn private_headers(now_ms: i64) -> Vec<(String, String)> {
    let time = format!("{}.{:03}", now_ms / 1000, now_ms % 1000);
    let time = time.trim_end_matches('0').trim_end_matches('.').to_owned();
    let list = [
        (
            "User-Agent",
            "Instagram 449.0.0.52.84 Android (34/14; 480dpi; 1344x2992; Google/google; Pixel 8 Pro; \
             husky; husky; en_US; 1079242191)",
        ),
        ("Accept-Encoding", "gzip, deflate"),
        ("Accept", "*/*"),
        ("X-IG-App-Locale", "en_US"),
        ("X-IG-Device-Locale", "en_US"),
        ("X-IG-Mapped-Locale", "en_US"),
        (
            "X-Pigeon-Session-Id",
            "UFS-0a1b2c3d-0000-4000-b000-00000000000d-1",
        ),
        ("X-Pigeon-Rawclienttime", time.as_str()),
        ("X-IG-Bandwidth-Speed-KBPS", "-1.000"),
        ("X-IG-Bandwidth-TotalBytes-B", "0"),
        ("X-IG-Bandwidth-TotalTime-MS", "0"),
        ("X-IG-App-Startup-Country", "US"),
        (
            "X-Bloks-Version-Id",
            "799db3e387d7a21a19c72918b8698b6cd28a1516ade363792c100ed45a0f9f0b",
        ),
        ("X-IG-WWW-Claim", "0"),
        ("X-Bloks-Is-Layout-RTL", "false"),
        ("X-Bloks-Is-Panorama-Enabled", "true"),
        ("X-IG-Device-ID", DEVICE),
        ("X-IG-Family-Device-ID", PHONE),
        ("X-IG-Android-ID", ANDROID),
        ("X-IG-Timezone-Offset", "-14400"),
        ("X-IG-Connection-Type", "WIFI"),
        ("X-IG-Capabilities", "3brTv10="),
        ("X-IG-App-ID", "567067343352427"),
        ("Priority", "u=3"),
        ("Accept-Language", "en-US"),
        ("Host", "i.instagram.com"),
        ("X-FB-HTTP-Engine", "Tigon/MNS/TCP"),
        ("X-Tigon-Is-Retry", "False"),
        ("X-Zero-Balance", "INIT"),
        ("X-Zero-Eh", ""),
        ("X-Zero-State", "unknown"),
        ("Zero-HTTP-Network-Interface", "wifi"),
        ("X-FB-Client-IP", "True"),
        ("X-FB-Server-Cluster", "True"),
        ("IG-INTENDED-USER-ID", "0"),
        (
            "X-IG-Nav-Chain",
            "9MV:self_profile:2,ProfileMediaTabFragment:self_profile:3,9Xf:self_following:4",
        ),
    ];
    list.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

pub fn bearer(session_id: &str) -> String {
    bearer_of(&OPERATOR.to_string(), session_id)
}

pub fn bearer_of(pk: &str, session_id: &str) -> String {
    let token = format!(
        r#"{{"ds_user_id":"{pk}","sessionid":"{session_id}","should_use_header_over_cookies":true}}"#
    );
    format!("Bearer IGT:2:{}", STANDARD.encode(token))
}

pub fn set(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    match headers
        .iter_mut()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
    {
        Some(header) => value.clone_into(&mut header.1),
        None => headers.push((name.to_owned(), value.to_owned())),
    }
}

/// A request on paper, to be changed before it is sent.
#[derive(Clone)]
pub struct Sketch {
    pub method: &'static str,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Payload,
}

#[derive(Clone)]
pub enum Payload {
    None,
    Signed(Vec<(String, Value)>),
    Raw(Vec<u8>),
}

impl Sketch {
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        set(&mut self.headers, name, value);
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    #[must_use]
    pub fn fields(mut self, change: impl FnOnce(&mut Vec<(String, Value)>)) -> Self {
        if let Payload::Signed(fields) = &mut self.body {
            change(fields);
        }
        self
    }

    #[must_use]
    pub fn field(self, name: &str, value: Value) -> Self {
        self.fields(|fields| {
            fields
                .iter_mut()
                .find(|(n, _)| n == name)
                .expect("the field is there")
                .1 = value;
        })
    }

    #[must_use]
    pub fn raw(mut self, body: &str) -> Self {
        self.body = Payload::Raw(body.as_bytes().to_vec());
        self
    }

    pub fn field_names(&self) -> Vec<String> {
        match &self.body {
            Payload::Signed(fields) => fields.iter().map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        }
    }

    pub fn body_bytes(&self) -> Vec<u8> {
        match &self.body {
            Payload::None => Vec::new(),
            Payload::Raw(bytes) => bytes.clone(),
            Payload::Signed(fields) => {
                let members: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{}:{value}", json!(name)))
                    .collect();
                let json = format!("{{{}}}", members.join(","));
                format!("signed_body=SIGNATURE.{}", form_encode(&json)).into_bytes()
            }
        }
    }

    fn wire(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        let body = self.body_bytes();
        if self.method == "POST" {
            write!(text, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        text += "Connection: close\r\n\r\n";
        [text.into_bytes(), body].concat()
    }
}

pub fn form_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}

/// An answer as it came off the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether as much came as was announced.
    pub complete: bool,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON answer")
    }
}

fn exchange(address: &str, request: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    // A reset ends the answer as a close does.
    let _ = stream.read_to_end(&mut bytes);
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").or(line.split_once(':')).unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    let find = |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    let mut complete = find("content-length").is_none_or(|(_, n)| n.parse() == Ok(body.len()));
    if find("transfer-encoding").is_some() {
        (body, complete) = unchunk(&body);
    }
    Some(Reply {
        status,
        headers,
        body,
        complete,
    })
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let from = end + 2;
        if rest.len() < from + size + 2 {
            return (body, false);
        }
        body.extend_from_slice(&rest[from..from + size]);
        rest = &rest[from + size + 2..];
    }
    (body, false)
}
