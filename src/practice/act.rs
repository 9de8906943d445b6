//! The calls the server knows, and which of them a path means.

/// What a request is about. Its text form is used in the record and for arming troubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // Each variant is named as the call it stands for.
pub enum Act {
    LauncherSync,
    KeySync,
    Login,
    TwoFactor,
    TwoFactorSms,
    Caa,
    Logout,
    CurrentUser,
    NewFeedPosts,
    Timeline,
    ReelsTray,
    UserLookup,
    UserSearch,
    UserInfo,
    UserInfoStream,
    Stories,
    ReelsMedia,
    Seen,
    StoryLike,
    StoryUnlike,
    Posts,
    PostLike,
    PostUnlike,
    MediaInfo,
    WebLogin,
    Unknown,
}

const NAMES: &[(Act, &str)] = &[
    (Act::LauncherSync, "launcher_sync"),
    (Act::KeySync, "key_sync"),
    (Act::Login, "login"),
    (Act::TwoFactor, "two_factor"),
    (Act::TwoFactorSms, "two_factor_sms"),
    (Act::Caa, "caa"),
    (Act::Logout, "logout"),
    (Act::CurrentUser, "current_user"),
    (Act::NewFeedPosts, "new_feed_posts"),
    (Act::Timeline, "timeline"),
    (Act::ReelsTray, "reels_tray"),
    (Act::UserLookup, "user_lookup"),
    (Act::UserSearch, "user_search"),
    (Act::UserInfo, "user_info"),
    (Act::UserInfoStream, "user_info_stream"),
    (Act::Stories, "stories"),
    (Act::ReelsMedia, "reels_media"),
    (Act::Seen, "seen"),
    (Act::StoryLike, "story_like"),
    (Act::StoryUnlike, "story_unlike"),
    (Act::Posts, "posts"),
    (Act::PostLike, "post_like"),
    (Act::PostUnlike, "post_unlike"),
    (Act::MediaInfo, "media_info"),
    (Act::WebLogin, "web_login"),
    (Act::Unknown, "unknown"),
];

impl Act {
    /// The name used in the record.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(act, _)| *act == self)
            .map_or("unknown", |(_, name)| name)
    }

    /// The call of that name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(act, _)| *act)
    }

    /// A view, a like or a taken-back like: what changes something others can see.
    pub fn is_write(self) -> bool {
        use Act::{PostLike, PostUnlike, Seen, StoryLike, StoryUnlike};
        matches!(self, Seen | StoryLike | StoryUnlike | PostLike | PostUnlike)
    }

    /// A story like or a post like.
    pub fn is_like(self) -> bool {
        matches!(self, Act::StoryLike | Act::PostLike)
    }

    /// A call that looks at something and changes nothing.
    pub fn is_read(self) -> bool {
        use Act::{
            CurrentUser, MediaInfo, NewFeedPosts, Posts, ReelsMedia, ReelsTray, Stories, Timeline,
            UserInfo, UserInfoStream, UserLookup, UserSearch,
        };
        matches!(
            self,
            CurrentUser
                | NewFeedPosts
                | Timeline
                | ReelsTray
                | UserLookup
                | UserSearch
                | UserInfo
                | UserInfoStream
                | Stories
                | ReelsMedia
                | Posts
                | MediaInfo
        )
    }
}

/// What a path and method mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The call.
    pub act: Act,
    /// The variable part of the path: a user name, a pk, a media id, or empty.
    pub subject: String,
    /// Whether the path ends with a slash.
    pub slash: bool,
}

/// Finds the call. A missing or additional trailing slash does not hide it.
pub fn route(method: &str, path: &str) -> Route {
    let slash = path.ends_with('/');
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (act, subject) = match (method, parts.as_slice()) {
        ("POST", ["api", "v1", rest @ ..]) => post(rest),
        ("GET", ["api", "v1", rest @ ..]) => get(rest),
        ("POST", ["api", "v2", "media", "seen"]) => (Act::Seen, ""),
        ("POST", ["graphql_www"]) => (Act::Caa, ""),
        ("GET", ["accounts", "login"]) => (Act::WebLogin, ""),
        _ => (Act::Unknown, ""),
    };
    Route {
        act,
        subject: subject.to_owned(),
        slash,
    }
}

fn post<'a>(rest: &[&'a str]) -> (Act, &'a str) {
    match *rest {
        ["launcher", "sync"] => (Act::LauncherSync, ""),
        ["qe", "sync"] => (Act::KeySync, ""),
        ["accounts", "login"] => (Act::Login, ""),
        ["accounts", "two_factor_login"] => (Act::TwoFactor, ""),
        ["accounts", "send_two_factor_login_sms"] => (Act::TwoFactorSms, ""),
        ["accounts", "logout"] => (Act::Logout, ""),
        ["bloks", _, step] | ["attestation", step] => (Act::Caa, step),
        ["feed", "timeline"] => (Act::Timeline, ""),
        ["feed", "reels_tray"] => (Act::ReelsTray, ""),
        ["feed", "reels_media"] => (Act::ReelsMedia, ""),
        ["users", pk, "info_stream"] => (Act::UserInfoStream, pk),
        ["story_interactions", "send_story_like"] => (Act::StoryLike, ""),
        ["story_interactions", "unsend_story_like"] => (Act::StoryUnlike, ""),
        ["media", id, "like"] => (Act::PostLike, id),
        ["media", id, "unlike"] => (Act::PostUnlike, id),
        _ => (Act::Unknown, ""),
    }
}

fn get<'a>(rest: &[&'a str]) -> (Act, &'a str) {
    match *rest {
        ["qe", "sync"] => (Act::KeySync, ""),
        ["accounts", "current_user"] => (Act::CurrentUser, ""),
        ["feed", "new_feed_posts_exist"] => (Act::NewFeedPosts, ""),
        ["users", "search"] => (Act::UserSearch, ""),
        ["users", name, "usernameinfo"] => (Act::UserLookup, name),
        ["users", pk, "info"] => (Act::UserInfo, pk),
        ["feed", "user", pk, "story"] => (Act::Stories, pk),
        ["feed", "user", pk] => (Act::Posts, pk),
        ["media", id, "info"] => (Act::MediaInfo, id),
        _ => (Act::Unknown, ""),
    }
}
