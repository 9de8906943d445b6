//! What each call answers, and what it would change. Nothing is applied here: whether an answer
//! arrives and an act takes effect is decided by the caller.

mod around;
pub mod control;
mod likes;
mod login;
mod posts;
mod stories;
mod users;

use super::act::Act;
use super::exchange::Answer;
use super::reply::Reply;
use super::state::State;
use super::switches::{HasLiked, Ids};
use super::understanding::Understood;
use super::world::shape::{self, IdForm};
use super::world::{Item, OPERATOR_PK, User};
use serde_json::Value;

/// How long a like stays invisible when `has_liked` comes late.
const LATE_MS: i64 = 10 * 60 * 1000;

/// Answers a call whose sender and body are in order.
pub fn call(state: &mut State, asked: &Understood<'_>) -> Answer {
    match asked.route.act {
        Act::LauncherSync => Answer::ok(Reply::recorded("launcher_sync_ok")),
        Act::KeySync => login::key_sync(),
        Act::Login => login::login(state, asked),
        Act::TwoFactor => login::two_factor(state, asked),
        Act::TwoFactorSms => Answer::ok(Reply::recorded("accounts_login_two_factor_sms")),
        Act::Caa => around::caa(asked),
        Act::Logout => login::logout(state, asked),
        Act::CurrentUser => Answer::ok(Reply::recorded("accounts_current_user_ok")),
        Act::NewFeedPosts => Answer::ok(Reply::recorded("feed_new_feed_posts_exist_ok")),
        Act::Timeline => Answer::ok(Reply::recorded("feed_timeline_ok")),
        Act::ReelsTray => stories::tray(state, asked),
        Act::UserLookup => users::lookup(state, asked),
        Act::UserSearch => users::search(state, asked),
        Act::UserInfo => users::info(state, asked),
        Act::UserInfoStream => users::info_stream(state, asked),
        Act::Stories => stories::stories(state, asked),
        Act::ReelsMedia => stories::reels_media(state, asked),
        Act::Seen => stories::seen(state, asked),
        Act::StoryLike | Act::PostLike => likes::like(state, asked),
        Act::StoryUnlike | Act::PostUnlike => likes::unlike(state, asked),
        Act::Posts => posts::posts(state, asked),
        Act::MediaInfo => posts::media_info(state, asked),
        Act::WebLogin => Answer::ok(Reply::recorded("error_200_html_login_page")),
        Act::Unknown => around::unknown(),
    }
}

/// Name of the user a request is about, where the server can tell.
pub fn concerned_user(state: &State, asked: &Understood<'_>) -> Option<String> {
    let world = &state.world;
    let now_s = asked.now_s();
    let user = match asked.route.act {
        Act::UserLookup => return Some(asked.route.subject.clone()),
        Act::Stories | Act::Posts | Act::UserInfo | Act::UserInfoStream => {
            subject_user(state, asked)
        }
        _ => {
            let pk = asked.item.as_deref()?.split('_').next()?.parse().ok()?;
            world
                .item(pk, now_s)
                .and_then(|item| world.user(item.profile))
        }
    }?;
    Some(user.name(now_s).to_owned())
}

/// The user whose pk is in the path.
fn subject_user<'a>(state: &'a State, asked: &Understood<'_>) -> Option<&'a User> {
    let pk = asked.route.subject.parse().ok()?;
    state
        .world
        .user(pk)
        .filter(|user| !user.is_gone(asked.now_s()))
}

/// What an item says about the operator's like at this moment.
fn has_liked(state: &State, item: &Item, now_ms: i64) -> Option<bool> {
    match state.switches.has_liked {
        HasLiked::Present => Some(state.reactions.is_liked(item.pk, now_ms)),
        HasLiked::Late => Some(state.reactions.is_liked(item.pk, now_ms - LATE_MS)),
        HasLiked::Absent => None,
    }
}

/// How ids are written when the switch says mixed and this place would use `mixed`.
fn id_form(state: &State, mixed: IdForm) -> IdForm {
    match state.switches.ids {
        Ids::Numbers => IdForm::Number,
        Ids::Strings => IdForm::Text,
        Ids::Mixed => mixed,
    }
}

fn item_json(state: &State, item: &Item, now_ms: i64, ids: IdForm) -> Value {
    let author = state
        .world
        .user(item.author)
        .unwrap_or(state.world.operator());
    let liked = has_liked(state, item, now_ms);
    shape::item(
        item,
        author,
        item.profile,
        liked,
        now_ms.div_euclid(1000),
        ids,
    )
}

/// Whether the operator may look at what this user publishes. Nobody here is followed.
fn is_open(user: &User, now_s: i64) -> bool {
    !user.is_gone(now_s) && (user.pk == OPERATOR_PK || !user.is_private(now_s))
}
