//! The practice server's strictness, from outside: requests written by hand from the recordings pass
//! without a remark, and each of them, changed in one place, earns exactly the remark it deserves.
#![allow(clippy::unwrap_used)]

mod practice_support;

use practice_support::{ANDROID, OPERATOR, OTHER_UUID, Payload, Practice, Sketch, bearer_of};
use serde_json::{Value, json};

/// Every call of a pass, in an order in which all of them are in order.
fn calls(practice: &Practice) -> Vec<Sketch> {
    let post = practice.posts[1].id();
    vec![
        practice.current_user(),
        practice.lookup("sandbox.friend"),
        practice.stories_of(practice.friend),
        practice.posts_of(practice.friend, ""),
        practice.media_info(&post),
        practice.seen(&practice.stories[0]),
        practice.story_like(&practice.stories[0].id()),
        practice.post_like(&post),
    ]
}

/// The calls with a body.
fn writes(practice: &Practice) -> Vec<Sketch> {
    calls(practice)
        .into_iter()
        .filter(|call| call.method == "POST")
        .collect()
}

/// Sends one changed request to a server of its own.
fn remarks(build: impl FnOnce(&Practice) -> Sketch) -> Vec<String> {
    let practice = Practice::start();
    let sketch = build(&practice);
    practice.ask(&sketch).1
}

#[test]
fn requests_written_from_the_recordings_earn_no_remark() {
    let number = calls(&Practice::start()).len();
    for n in 0..number {
        let practice = Practice::start();
        let sketch = calls(&practice).remove(n);
        let (reply, remarks) = practice.ask(&sketch);
        assert_eq!((reply.status, remarks), (200, vec![]), "{}", sketch.target);
    }
}

#[test]
fn every_dropped_header_is_missed() {
    let names: Vec<String> = Practice::start()
        .current_user()
        .headers
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names.len(), 38);
    for name in names {
        let expected = match name.as_str() {
            "Host" => "host".to_owned(),
            "Authorization" => "session-missing".to_owned(),
            _ => format!("header-missing:{name}"),
        };
        // HTTP/1.1 demands a Host; an empty one is the nearest to none.
        let remarks = remarks(|practice| match name.as_str() {
            "Host" => practice.current_user().header("Host", ""),
            _ => practice.current_user().without(&name),
        });
        assert_eq!(remarks, [expected]);
    }
}

#[test]
fn every_falsified_header_is_noticed() {
    let names: Vec<String> = Practice::start()
        .current_user()
        .headers
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for name in names {
        let expected = match name.as_str() {
            "Host" => "host".to_owned(),
            "Authorization" => "authorization-unreadable".to_owned(),
            "IG-INTENDED-USER-ID" => {
                let remarks = remarks(|p| p.current_user().header(&name, "71000000009"));
                assert_eq!(remarks, ["header-value:IG-INTENDED-USER-ID"]);
                continue;
            }
            _ => format!("header-value:{name}"),
        };
        assert_eq!(
            remarks(|p| p.current_user().header(&name, "wrong")),
            [expected]
        );
    }
}

#[test]
fn headers_that_disagree_with_each_other_are_noticed() {
    let agent = |version: &str, code: &str| {
        format!(
            "Instagram {version} Android (34/14; 480dpi; 1344x2992; Google/google; Pixel 8 Pro; \
             husky; husky; en_US; {code})"
        )
    };
    let with = |name: &'static str, value: String| {
        remarks(move |practice| practice.current_user().header(name, &value))
    };
    assert_eq!(
        with("User-Agent", agent("449.0.0.52.84", "1")),
        ["app-version-code"]
    );
    assert_eq!(
        with("User-Agent", agent("1.2.3.4.5", "1079242191")),
        ["app-version"]
    );
    assert_eq!(
        with("X-Bloks-Version-Id", "a".repeat(64)),
        ["app-bloks-version"]
    );
    assert_eq!(
        with("X-IG-Mapped-Locale", "de_DE".into()),
        ["header-value:X-IG-Mapped-Locale"]
    );
    assert_eq!(
        with("X-IG-Android-ID", ANDROID.to_uppercase()),
        ["header-value:X-IG-Android-ID"]
    );
    // Version 1 uuids carry a time and a machine.
    let version_1 = "0a1b2c3d-0000-1000-8000-00000000000a".to_owned();
    assert_eq!(
        with("X-IG-Device-ID", version_1),
        ["header-value:X-IG-Device-ID"]
    );
}

#[test]
fn a_client_clock_six_minutes_off_is_noticed() {
    for offset in [-360, 360] {
        let remarks = remarks(|practice| {
            let time = (practice.now_s() + offset).to_string();
            practice
                .current_user()
                .header("X-Pigeon-Rawclienttime", &time)
        });
        assert_eq!(remarks, ["client-time:X-Pigeon-Rawclienttime"]);
    }
}

#[test]
fn every_dropped_field_is_missed() {
    each_field(|sketch, name| {
        let sketch = sketch.fields(|fields| fields.retain(|(n, _)| n != name));
        (sketch, vec![format!("body-field-missing:{name}")])
    });
}

#[test]
fn every_retyped_field_is_noticed() {
    each_field(|sketch, name| {
        let sketch = sketch.fields(|fields| {
            let value = &mut fields.iter_mut().find(|(n, _)| n == name).unwrap().1;
            *value = match &*value {
                Value::String(text) => text.parse::<u64>().map_or(json!(false), |n| json!(n)),
                other => json!(other.to_string()),
            };
        });
        (sketch, vec![format!("body-field-type:{name}")])
    });
}

#[test]
fn every_renamed_field_is_missed_and_unknown() {
    each_field(|sketch, name| {
        let sketch = sketch.fields(|fields| {
            fields.iter_mut().find(|(n, _)| n == name).unwrap().0 = format!("{name}2");
        });
        let unknown = format!("body-field-unknown:{name}2");
        (sketch, vec![format!("body-field-missing:{name}"), unknown])
    });
}

#[test]
fn every_moved_field_is_noticed() {
    each_field(|sketch, name| {
        let last = sketch.field_names().last().unwrap() == name;
        let sketch = sketch.fields(|fields| {
            let place = fields.iter().position(|(n, _)| n == name).unwrap();
            let field = fields.remove(place);
            fields.insert(if last { 0 } else { fields.len() }, field);
        });
        (sketch, vec!["body-field-order".to_owned()])
    });
}

/// Changes each field of each write, one at a time.
fn each_field(change: impl Fn(Sketch, &str) -> (Sketch, Vec<String>)) {
    let number = writes(&Practice::start()).len();
    assert_eq!(number, 3);
    for n in 0..number {
        for name in writes(&Practice::start())[n].field_names() {
            let practice = Practice::start();
            let (sketch, expected) = change(writes(&practice).remove(n), &name);
            let (_, remarks) = practice.ask(&sketch);
            assert_eq!(remarks, expected, "{} {name}", sketch.target);
        }
    }
}

#[test]
fn an_additional_field_is_reported() {
    let remarks = remarks(|practice| {
        let like = practice.post_like(&practice.posts[1].id());
        like.fields(|fields| fields.push(("d".to_owned(), json!("1"))))
    });
    assert_eq!(remarks, ["body-field-unknown:d"]);
}

#[test]
fn fields_that_disagree_with_headers_or_session_are_noticed() {
    let changes = [
        ("_uuid", json!(OTHER_UUID), "body-field-value:_uuid"),
        (
            "device_id",
            json!("android-fedcba9876543210"),
            "body-field-value:device_id",
        ),
        ("_uid", json!("71000000009"), "body-field-value:_uid"),
        (
            "feed_position",
            json!("7"),
            "body-field-value:feed_position",
        ),
        ("media_id", json!("1_2"), "body-field-value:media_id"),
    ];
    for (name, value, expected) in changes {
        let remarks = remarks(|practice| {
            practice
                .post_like(&practice.posts[1].id())
                .field(name, value)
        });
        assert_eq!(remarks, [expected]);
    }
}

#[test]
fn what_a_like_names_must_exist_and_belong_and_live() {
    let story = |build: fn(&Practice) -> String| {
        let practice = Practice::start();
        let sketch = practice.story_like(&build(&practice));
        let (reply, remarks) = practice.ask(&sketch);
        (reply.status, remarks)
    };
    let owner = |p: &Practice| format!("{}_{}", p.stories[0].pk, p.quiet);
    assert_eq!(story(owner), (400, vec!["like-owner".to_owned()]));
    assert_eq!(
        story(|p| p.expired.id()),
        (400, vec!["like-expired".to_owned()])
    );
    assert_eq!(
        story(|p| p.posts[1].id()),
        (400, vec!["like-kind".to_owned()])
    );
    let unknown = |p: &Practice| format!("{}_{}", p.stories[0].pk + 1, p.friend);
    assert_eq!(story(unknown), (400, vec!["like-unknown".to_owned()]));
    let bare = |p: &Practice| p.stories[0].pk.to_string();
    assert_eq!(
        story(bare),
        (400, vec!["body-field-value:media_id".to_owned()])
    );
}

#[test]
fn a_view_is_checked_in_every_part() {
    let view = |build: &dyn Fn(&Practice) -> Value| {
        let practice = Practice::start();
        let sketch = practice
            .seen(&practice.stories[0])
            .field("reels", build(&practice));
        practice.ask(&sketch).1
    };
    let whole = |p: &Practice, owner: u64, source: u64, taken: i64, seen: i64| {
        let key = format!("{}_{owner}_{source}", p.stories[0].pk);
        json!({ key: [format!("{taken}_{seen}")] })
    };
    let taken = |p: &Practice| p.stories[0].taken_at;
    assert!(view(&|p| whole(p, p.friend, p.friend, taken(p), p.now_s())).is_empty());
    assert_eq!(
        view(&|p| whole(p, p.friend, p.friend, taken(p) - 1, p.now_s())),
        ["seen-taken-at"]
    );
    assert_eq!(
        view(&|p| whole(p, p.friend, p.friend, taken(p), p.now_s() - 360)),
        ["seen-seen-at"]
    );
    assert_eq!(
        view(&|p| whole(p, p.friend, p.quiet, taken(p), p.now_s())),
        ["seen-source"]
    );
    assert_eq!(
        view(&|p| whole(p, p.quiet, p.quiet, taken(p), p.now_s())),
        ["seen-owner"]
    );
    assert_eq!(
        view(&|p| json!({ p.stories[0].id(): ["1_2"] })),
        ["seen-key"]
    );
    assert_eq!(view(&|_| json!({})), ["body-field-value:reels"]);
    let bare = |p: &Practice| json!({ format!("{}_{}", p.stories[0].id(), p.friend): "1_2" });
    assert_eq!(view(&bare), ["seen-times"]);
    let expired = |p: &Practice| {
        let key = format!("{}_{}", p.expired.id(), p.friend);
        json!({ key: [format!("{}_{}", p.expired.taken_at, p.now_s())] })
    };
    assert_eq!(view(&expired), ["seen-expired"]);
}

#[test]
fn the_form_of_a_body_is_checked_down_to_its_envelope() {
    let like = |change: fn(Sketch) -> Sketch| {
        let practice = Practice::start();
        let sketch = change(practice.post_like(&practice.posts[1].id()));
        let (reply, remarks) = practice.ask(&sketch);
        (reply.status, remarks)
    };
    let body = |sketch: &Sketch| String::from_utf8(sketch.body_bytes()).unwrap();
    let one = |status: u16, remark: &str| (status, vec![remark.to_owned()]);
    let doubled = |s: Sketch| {
        let text = format!("{}&d=1", String::from_utf8(s.body_bytes()).unwrap());
        s.raw(&text)
    };
    assert!(body(&doubled(Practice::start().post_like("1_2"))).ends_with("&d=1"));
    assert_eq!(like(doubled), one(200, "body-form"));
    assert_eq!(
        like(|s| s.raw("signed_body=%7B%7D")),
        one(400, "body-signature")
    );
    assert_eq!(
        like(|s| s.raw("signed_body=SIGNATURE.%7B")),
        one(400, "body-json")
    );
    assert_eq!(like(|s| s.raw("nothing=1")), one(400, "body-form"));
    assert_eq!(
        like(|s| s.without("Content-Type")),
        one(200, "header-missing:Content-Type")
    );
    let json_type = |s: Sketch| s.header("Content-Type", "application/json");
    assert_eq!(like(json_type), one(200, "header-value:Content-Type"));
    let coded = |s: Sketch| s.header("Content-Encoding", "identity");
    assert_eq!(like(coded), one(200, "header-unexpected:Content-Encoding"));
    let binary = |s: Sketch| Sketch {
        body: Payload::Raw(vec![0xff, 0xfe]),
        ..s
    };
    assert_eq!(like(binary), one(400, "body-utf8"));
}

#[test]
fn queries_and_paths_are_checked() {
    let get = |target: &str| {
        let practice = Practice::start();
        practice.ask(&practice.get(target)).1
    };
    assert_eq!(
        get("/api/v1/accounts/current_user/"),
        ["query-missing:edit"]
    );
    assert_eq!(
        get("/api/v1/accounts/current_user/?edit=false"),
        ["query-value:edit"]
    );
    assert_eq!(
        get("/api/v1/accounts/current_user/?edit=true&x=1"),
        ["query-unknown:x"]
    );
    assert_eq!(
        get("/api/v1/accounts/current_user?edit=true"),
        ["path-slash"]
    );
    assert_eq!(
        get("/api/v1/users/Sandbox.Friend/usernameinfo/"),
        ["path-username"]
    );
    assert_eq!(get("/api/v1/media/abc/info/"), ["path-media-id"]);
    assert_eq!(get("/api/v1/nothing/here/"), ["path-unknown"]);
    for missing in ["max_id", "count", "rank_token", "ranked_content"] {
        let remarks = remarks(|practice| {
            let mut sketch = practice.posts_of(practice.friend, "");
            let (path, query) = sketch.target.split_once('?').unwrap();
            let rest: Vec<&str> = query
                .split('&')
                .filter(|part| !part.starts_with(&format!("{missing}=")))
                .collect();
            sketch.target = format!("{path}?{}", rest.join("&"));
            sketch
        });
        assert_eq!(remarks, [format!("query-missing:{missing}")]);
    }
    let foreign = remarks(|practice| {
        let mut sketch = practice.posts_of(practice.friend, "");
        sketch.target = sketch.target.replace(&OPERATOR.to_string(), "71000000009");
        sketch
    });
    assert_eq!(foreign, ["query-value:rank_token"]);
    let reordered = remarks(|practice| {
        let mut sketch = practice.stories_of(practice.friend);
        sketch.target = sketch.target.replace("FACE_TRACKER_VERSION", "FACE");
        sketch
    });
    assert_eq!(reordered, ["query-value:supported_capabilities_new"]);
}

#[test]
fn the_story_like_passes_with_and_without_a_trailing_slash() {
    for slash in ["", "/"] {
        let remarks = remarks(|practice| {
            let mut sketch = practice.story_like(&practice.stories[0].id());
            sketch.target += slash;
            sketch
        });
        assert!(remarks.is_empty(), "{remarks:?}");
    }
}

#[test]
fn nobody_gets_in_without_a_living_session() {
    let ask = |build: &dyn Fn(&Practice) -> Sketch| {
        let practice = Practice::start();
        let (reply, remarks) = practice.ask(&build(&practice));
        (reply.status, reply.json()["message"].clone(), remarks)
    };
    let refused = |remark: &str| (403, json!("login_required"), vec![remark.to_owned()]);
    assert_eq!(
        ask(&|p| p.current_user().without("Authorization")),
        refused("session-missing")
    );
    let unknown = |p: &Practice| {
        let token = bearer_of(&OPERATOR.to_string(), "71000000001%3Anobody%3A1%3AAYx");
        p.current_user().header("Authorization", &token)
    };
    assert_eq!(ask(&unknown), refused("session-unknown"));
    let practice = Practice::start();
    practice.server.revoke_sessions();
    let (reply, remarks) = practice.ask(&practice.current_user());
    assert_eq!((reply.status, remarks), (403, vec![]));
    let foreign = |p: &Practice| {
        p.current_user()
            .header("Authorization", &bearer_of("71000000009", &p.session_id()))
    };
    assert_eq!(ask(&foreign).2, ["authorization-user"]);
}

#[test]
fn the_session_cookie_alone_is_enough_and_must_not_contradict() {
    let cookie = |p: &Practice, id: &str| {
        p.current_user()
            .header("Cookie", &format!("csrftoken=abc; sessionid={id}"))
    };
    let alone = remarks(|p| cookie(p, &p.session_id()).without("Authorization"));
    assert!(alone.is_empty(), "{alone:?}");
    let both = remarks(|p| cookie(p, &p.session_id()));
    assert!(both.is_empty(), "{both:?}");
    // A re-encoded session id is another session id.
    let recoded = remarks(|p| cookie(p, &p.session_id().replace("%3A", ":")));
    assert_eq!(recoded, ["cookie-sessionid"]);
}

#[test]
fn state_headers_must_come_back_as_sent_last() {
    let practice = Practice::start();
    let (first, _) = practice.ask(&practice.current_user());
    let state = ["ig-set-x-mid", "ig-set-ig-u-rur", "x-ig-set-www-claim"]
        .map(|name| first.header(name).unwrap().to_owned());
    let back = |mid: &str, rur: &str, claim: &str| {
        let sketch = practice.current_user().header("X-MID", mid);
        practice
            .ask(
                &sketch
                    .header("IG-U-RUR", rur)
                    .header("X-IG-WWW-Claim", claim),
            )
            .1
    };
    let [mid, rur, claim] = &state;
    assert!(back(mid, rur, claim).is_empty());
    assert_eq!(back("stale", rur, claim), ["echo-stale:X-MID"]);
    assert_eq!(back(mid, "stale", claim), ["echo-stale:IG-U-RUR"]);
    assert_eq!(back(mid, rur, "0"), ["echo-stale:X-IG-WWW-Claim"]);
    let silent = practice.current_user().header("X-IG-WWW-Claim", claim);
    assert_eq!(
        practice.ask(&silent).1,
        ["echo-missing:X-MID", "echo-missing:IG-U-RUR"]
    );
}

#[test]
fn a_changed_routing_hint_supersedes_the_old_one() {
    let practice = Practice::start();
    let mut held: Vec<(&str, &str, String)> = vec![
        ("ig-set-x-mid", "X-MID", String::new()),
        ("ig-set-ig-u-rur", "IG-U-RUR", String::new()),
        ("x-ig-set-www-claim", "X-IG-WWW-Claim", "0".to_owned()),
    ];
    let mut changes = 0;
    let mut empty_authorizations = 0;
    let mut cookies = 0;
    for _ in 0..30 {
        let mut sketch = practice.current_user();
        for (_, header, value) in held.iter().filter(|(_, _, value)| !value.is_empty()) {
            sketch = sketch.header(header, value);
        }
        let (reply, remarks) = practice.ask(&sketch);
        assert!(remarks.is_empty(), "{remarks:?}");
        for (set, _, value) in &mut held {
            if let Some(new) = reply.header(set).filter(|new| new != value) {
                new.clone_into(value);
                changes += 1;
            }
        }
        cookies += usize::from(reply.header("set-cookie").is_some());
        let token = reply.header("ig-set-authorization");
        empty_authorizations +=
            usize::from(token.is_some_and(|t| t.is_empty() || t.ends_with(':')));
    }
    assert!(changes > 5, "{changes}");
    assert_eq!((empty_authorizations, cookies), (6, 2));
}

#[test]
fn state_headers_nobody_issued_are_noticed() {
    for name in ["IG-U-SHBID", "IG-U-SHBTS", "IG-U-IG-DIRECT-REGION-HINT"] {
        let remarks = remarks(|practice| practice.current_user().header(name, "12345"));
        assert_eq!(remarks, [format!("header-made-up:{name}")]);
    }
}

#[test]
fn a_living_session_stays_with_its_device() {
    let other = "Instagram 448.0.0.0.20 Android (34/14; 480dpi; 1344x2992; Google/google; Pixel 8 \
                 Pro; husky; husky; en_US; 1065560286)";
    let changes = [
        ("X-IG-Device-ID", OTHER_UUID),
        ("X-IG-Android-ID", "android-fedcba9876543210"),
        ("User-Agent", other),
    ];
    for (name, value) in changes {
        let practice = Practice::start();
        let (reply, remarks) = practice.ask(&practice.lookup("sandbox.friend"));
        assert!(remarks.is_empty());
        let mut sketch = practice.lookup("sandbox.friend").header(name, value);
        // The state headers of the first answer come back, so that nothing else is wrong.
        for (set, header) in [
            ("ig-set-x-mid", "X-MID"),
            ("ig-set-ig-u-rur", "IG-U-RUR"),
            ("x-ig-set-www-claim", "X-IG-WWW-Claim"),
        ] {
            sketch = sketch.header(header, reply.header(set).unwrap());
        }
        assert_eq!(practice.ask(&sketch).1, [format!("device-changed:{name}")]);
    }
}

#[test]
fn between_two_sessions_of_a_device_only_its_app_may_change() {
    let agent = |version: &str, model: &str, code: &str| {
        format!(
            "Instagram {version} Android (34/14; 480dpi; 1344x2992; Google/google; {model}; husky; \
             husky; en_US; {code})"
        )
    };
    for (version, model, code, remark) in [
        ("448.0.0.0.20", "Pixel 8 Pro", "1065560286", None),
        (
            "449.0.0.52.84",
            "Pixel 7",
            "1079242191",
            Some("device-changed:User-Agent"),
        ),
    ] {
        let practice = Practice::start();
        assert!(practice.ask(&practice.current_user()).1.is_empty());
        let session = practice.server.new_session();
        let sketch = practice
            .current_user()
            .header("Authorization", &bearer_of(&OPERATOR.to_string(), &session))
            .header("User-Agent", &agent(version, model, code));
        let expected: Vec<String> = remark.into_iter().map(str::to_owned).collect();
        assert_eq!(practice.ask(&sketch).1, expected, "{version} {model}");
    }
}

#[test]
fn a_repeated_header_is_noticed() {
    let remarks = remarks(|practice| {
        let mut sketch = practice.current_user();
        sketch
            .headers
            .push(("X-IG-App-ID".to_owned(), "567067343352427".to_owned()));
        sketch
    });
    assert_eq!(remarks, ["header-repeated:X-IG-App-ID"]);
}
