//! A tiny Instagram in memory, written from the port's contract. It keeps its own record, by its own
//! clock, of what it received and what took effect; every judgement in these tests is made from it.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use story_liker::model::*;
use story_liker::ports::*;

use super::clock::TestClock;
use super::steps::Step;

pub const MYSELF: i64 = 7000;
const DAY: Duration = Duration::from_hours(24);
/// Twice this is what a request takes.
const HALF_WAY: Duration = Duration::from_millis(150);
const TIME_OUT: Duration = Duration::from_secs(20);

pub fn pk(number: i64) -> Pk {
    Pk::try_from(number).unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    CurrentUser,
    UserByName,
    Stories,
    Posts,
    MediaInfo,
    View,
    Like,
    LoginPrepare,
    LoginKey,
    LoginPassword,
    LoginCode,
}

/// What the server received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    /// What the sender's clock showed when this arrived, or, unless it was late, was sent.
    pub wall: Timestamp,
    pub act: Act,
    /// The item, or the user listed.
    pub on: Option<i64>,
    pub took_effect: bool,
    /// What the reply said of the item's like, for readings.
    pub said: Vec<(i64, Option<bool>)>,
    /// The objection it was answered with.
    pub objected: Option<HoldReason>,
    /// How long the objection asked to wait.
    pub asked: Option<Duration>,
    /// How long its sender slept between the record of it and this.
    pub slept: Duration,
    /// How much longer than usual it was on its way.
    pub late: Duration,
    /// By how many seconds the `Date` of its reply is wrong.
    pub misdated: i64,
    /// Its reply had no `Date`, though others have.
    pub undated: bool,
}

/// Whether a request without an answer took effect all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    No,
    Now,
    Late,
}

/// What befalls a request on its way or its reply, besides its trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// The sender's machine sleeps after the request is on record and before it leaves.
    Asleep(Duration),
    /// It arrives this much later, and nobody waits for its answer so long.
    Late(Duration),
    /// The `Date` of the reply, if it has one, is wrong by so many seconds.
    Misdated(i64),
    /// The reply has no `Date`. Only of an objection, or after one of this start that has: the time of a
    /// good reply before that is the local clock's, right or wrong.
    Undated,
}

/// How a request fails: every combination of `Next` and `Effect` the HTTP adapter makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The answer takes this many seconds more than usual.
    Slow(u8),
    /// No connection: no byte left.
    Unsent,
    /// The request could not be built.
    NotMade,
    /// The connection broke.
    Broken(Applied),
    /// No answer in time.
    TimedOut(Applied),
    /// 5xx.
    ServerError(Applied),
    /// 200 "ok" without the content.
    Incomplete(Applied),
    /// An objection that was read, with how long it asks to wait.
    Objection(HoldReason, Option<Duration>),
    /// An objection without a readable body.
    Page(HoldReason),
    Private,
    UserGone,
    ItemGone,
    InvalidItem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HasLiked {
    Present,
    Absent,
    /// Not in a listing, only where the item itself is read.
    OfItself,
    /// Shown this long after the like took effect.
    LateBy(Duration),
}

#[derive(Clone, Debug)]
pub struct Thing {
    pub media: i64,
    pub taken_at: Timestamp,
    pub pinned: bool,
    pub readable: bool,
    pub gone: bool,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub pk: i64,
    pub name: String,
    pub private: bool,
    pub gone: bool,
    pub stories: Vec<Thing>,
    pub posts: Vec<Thing>,
}

#[allow(clippy::struct_excessive_bools)] // Independent switches.
pub struct World {
    clock: TestClock,
    pub people: Vec<Person>,
    /// Since when each item is liked.
    pub likes: BTreeMap<i64, Timestamp>,
    pub record: Vec<Entry>,
    /// Which act fails, after how many that do not.
    pub troubles: Vec<(Act, u32, Trouble)>,
    /// What befalls which act, after how many that nothing befalls.
    pub odds: Vec<(Act, u32, Odd)>,
    pub has_liked: HasLiked,
    /// Added to the `Date` header; `None` leaves it out.
    pub date: Option<i64>,
    pub page_size: usize,
    pub repeats_cursor: bool,
    /// Whether preparing a login gives the device its machine id.
    pub names_machines: bool,
    /// Every second item stands in its listing twice.
    pub doubles: bool,
    pub session_alive: bool,
    pub second_factor: bool,
    /// The code that was submitted.
    pub code_submitted: Option<String>,
    /// Logins are answered well and bring no session.
    pub keeps_sessions: bool,
    /// Whom the session belongs to.
    pub me: i64,
    /// Grows with every reply, like a state header.
    pub version: u32,
    /// The session as the last reply left it.
    pub given: String,
    /// The last request of this start was not sent or had no good reply.
    pub unanswered: bool,
    /// A reply of this start had a `Date`.
    pub told: bool,
    /// How long the longest request of this start took.
    pub longest: Duration,
    pub violations: Vec<String>,
    /// Nobody may send anything now.
    pub silent: bool,
}

#[derive(Clone)]
pub struct Server(Rc<RefCell<World>>);

impl Server {
    pub fn new(clock: TestClock) -> Self {
        Self(Rc::new(RefCell::new(World {
            clock,
            people: Vec::new(),
            likes: BTreeMap::new(),
            record: Vec::new(),
            troubles: Vec::new(),
            odds: Vec::new(),
            has_liked: HasLiked::Present,
            date: Some(0),
            page_size: 12,
            repeats_cursor: false,
            names_machines: false,
            doubles: false,
            session_alive: true,
            second_factor: false,
            code_submitted: None,
            keeps_sessions: false,
            me: MYSELF,
            version: 0,
            given: String::new(),
            unanswered: false,
            told: false,
            longest: Duration::ZERO,
            violations: Vec::new(),
            silent: false,
        })))
    }

    pub fn world(&self) -> RefMut<'_, World> {
        self.0.borrow_mut()
    }

    pub fn look(&self) -> Ref<'_, World> {
        self.0.borrow()
    }

    pub fn clock(&self) -> TestClock {
        self.0.borrow().clock.clone()
    }

    /// From now on any request is a violation: its sender has died or lost its memory.
    pub fn expect_silence(&self) {
        self.world().silent = true;
    }

    pub fn restart(&self) {
        let mut world = self.world();
        (world.silent, world.unanswered) = (false, false);
        (world.longest, world.told) = (Duration::ZERO, false);
    }

    /// Lets the next `act` fail.
    pub fn fail(&self, act: Act, trouble: Trouble) {
        self.fail_after(act, 0, trouble);
    }

    pub fn fail_after(&self, act: Act, after: u32, trouble: Trouble) {
        self.world().troubles.push((act, after, trouble));
    }

    pub fn befall(&self, act: Act, odd: Odd) {
        self.befall_after(act, 0, odd);
    }

    pub fn befall_after(&self, act: Act, after: u32, odd: Odd) {
        self.world().odds.push((act, after, odd));
    }

    pub fn acts(&self) -> Vec<Act> {
        self.look().record.iter().map(|entry| entry.act).collect()
    }

    pub fn count(&self, act: Act) -> usize {
        self.acts().into_iter().filter(|one| *one == act).count()
    }

    /// Acts with what they were on, since entry `from`.
    pub fn trace(&self, from: usize) -> Vec<(Act, i64)> {
        let world = self.look();
        let entries = world.record[from..].iter();
        entries
            .map(|entry| (entry.act, entry.on.unwrap_or_default()))
            .collect()
    }

    pub fn likes_of(&self, media: i64) -> usize {
        let world = self.look();
        let likes = world
            .record
            .iter()
            .filter(|entry| entry.act == Act::Like && entry.on == Some(media));
        likes.count()
    }

    pub fn connect(&self, session: Option<Session>) -> Client {
        Client {
            server: self.clone(),
            session,
            device: "{}".to_owned(),
        }
    }
}

impl World {
    pub fn person(&mut self, name: &str) -> &mut Person {
        self.people
            .iter_mut()
            .find(|person| person.name == name)
            .unwrap()
    }

    pub fn add_person(&mut self, pk: i64, name: &str) {
        self.people.push(Person {
            pk,
            name: name.to_owned(),
            private: false,
            gone: false,
            stories: Vec::new(),
            posts: Vec::new(),
        });
    }

    pub fn add_story(&mut self, name: &str, media: i64, taken_at: Timestamp) {
        self.person(name).stories.push(thing(media, taken_at));
    }

    pub fn add_post(&mut self, name: &str, media: i64, taken_at: Timestamp) {
        self.person(name).posts.push(thing(media, taken_at));
    }

    fn shown_as_liked(&self, media: i64) -> Option<bool> {
        let now = self.clock.server();
        let liked = |late: Duration| {
            let since = self.likes.get(&media);
            since.is_some_and(|since| since.plus(late) <= now)
        };
        match self.has_liked {
            HasLiked::Present => Some(liked(Duration::ZERO)),
            HasLiked::LateBy(late) => Some(liked(late)),
            HasLiked::Absent | HasLiked::OfItself => None,
        }
    }

    fn item(&self, owner: i64, kind: ItemKind, thing: &Thing) -> Item {
        Item {
            kind,
            id: ItemId {
                media: pk(thing.media),
                owner: pk(owner),
            },
            code: None,
            taken_at: thing.taken_at,
            expiring_at: (kind == ItemKind::Story).then(|| thing.taken_at.plus(DAY)),
            has_liked: self.shown_as_liked(thing.media),
            pinned: thing.pinned,
        }
    }

    /// A like takes effect, at once or later.
    fn liked(&mut self, media: Option<i64>, at: Timestamp, applied: Applied) {
        let after = 30 * u64::from(applied == Applied::Late);
        let since = at.plus(Duration::from_secs(after));
        if let Some(media) = media {
            self.likes.entry(media).or_insert(since);
        }
    }

    fn take_trouble(&mut self, act: Act) -> Option<Trouble> {
        let index = self.troubles.iter().position(|(on, _, _)| *on == act)?;
        if self.troubles[index].1 > 0 {
            self.troubles[index].1 -= 1;
            return None;
        }
        Some(self.troubles.remove(index).2)
    }

    /// How long the sender sleeps, how late the request is, by how much its reply is misdated.
    fn take_odds(&mut self, act: Act) -> (Duration, Duration, i64, bool) {
        let mut befalls = (Duration::ZERO, Duration::ZERO, 0, false);
        self.odds.retain_mut(|(on, after, odd)| {
            if *on != act || *after > 0 {
                *after -= u32::from(*on == act);
                return true;
            }
            match *odd {
                Odd::Asleep(span) => befalls.0 = span,
                Odd::Late(span) => befalls.1 = span,
                Odd::Misdated(seconds) => befalls.2 = seconds,
                Odd::Undated => befalls.3 = true,
            }
            false
        });
        befalls
    }

    fn listing(&self, owner: i64, kind: ItemKind, things: &[Thing]) -> Listing {
        let name = self.people.iter().find(|person| person.pk == owner);
        let readable = things.iter().filter(|thing| thing.readable);
        let mut items: Vec<Item> = readable
            .map(|thing| self.item(owner, kind, thing))
            .collect();
        if self.doubles {
            let again: Vec<Item> = items.iter().step_by(2).cloned().collect();
            items.extend(again);
        }
        Listing {
            items,
            unreadable: things.iter().filter(|thing| !thing.readable).count() as u32,
            owner_name: name.map(|person| person.name.clone()),
            next_page: None,
        }
    }

    fn visible(&self, owner: i64) -> Result<&Person, PlatformError> {
        let person = self.people.iter().find(|person| person.pk == owner);
        let person = person.filter(|person| !person.gone);
        let person = person.ok_or_else(|| refused(Next::SkipTarget(TargetTrouble::Gone)))?;
        if person.private {
            return Err(refused(Next::SkipTarget(TargetTrouble::Private)));
        }
        Ok(person)
    }

    fn stories(&self, owner: i64) -> Result<Listing, PlatformError> {
        let now = self.clock.server();
        let person = self.visible(owner)?;
        let shown: Vec<Thing> = person
            .stories
            .iter()
            .filter(|story| story.taken_at <= now && now < story.taken_at.plus(DAY) && !story.gone)
            .cloned()
            .collect();
        Ok(self.listing(owner, ItemKind::Story, &shown))
    }

    fn posts(&self, owner: i64, page: Option<&str>) -> Result<Listing, PlatformError> {
        let now = self.clock.server();
        let mut shown: Vec<Thing> = self
            .visible(owner)?
            .posts
            .iter()
            .filter(|post| post.taken_at <= now && !post.gone)
            .cloned()
            .collect();
        shown.sort_by_key(|post| (!post.pinned, std::cmp::Reverse(post.taken_at)));
        let from: usize = page.map_or(0, |page| page.parse().unwrap());
        let to = (from + self.page_size).min(shown.len());
        let mut listing = self.listing(owner, ItemKind::Post, &shown[from.min(to)..to]);
        listing.next_page = (to < shown.len()).then(|| to.to_string());
        if self.repeats_cursor {
            listing.next_page = Some("0".to_owned());
        }
        Ok(listing)
    }

    fn exists(&self, media: i64) -> Result<(i64, Thing), PlatformError> {
        let now = self.clock.server();
        let found = self.people.iter().find_map(|person| {
            let story = person.stories.iter().find(|thing| thing.media == media);
            let alive = story.filter(|story| now < story.taken_at.plus(DAY));
            let thing = alive.or(person.posts.iter().find(|thing| thing.media == media));
            thing.map(|thing| (person.pk, thing.clone()))
        });
        found
            .filter(|(_, thing)| !thing.gone)
            .ok_or_else(|| refused(Next::SkipGoneItem))
    }
}

pub fn thing(media: i64, taken_at: Timestamp) -> Thing {
    Thing {
        media,
        taken_at,
        pinned: false,
        readable: true,
        gone: false,
    }
}

fn refused(next: Next) -> PlatformError {
    failed(next, Effect::Refused)
}

fn failed(next: Next, effect: Effect) -> PlatformError {
    PlatformError {
        message: format!("{next:?}, {effect:?}"),
        next,
        effect,
    }
}

/// A device after its first login was prepared, with the machine id it was given.
pub const MARKED_DEVICE: &str = r#"{"mid":"given"}"#;

/// One process's way to the server.
pub struct Client {
    server: Server,
    pub session: Option<Session>,
    /// The stored device, or the one this process made.
    pub device: String,
}

impl Client {
    fn ask<T>(
        &mut self,
        act: Act,
        on: Option<i64>,
        work: impl FnOnce(&mut World) -> Result<(T, Vec<(i64, Option<bool>)>), PlatformError>,
    ) -> Answer<T> {
        let clock = self.server.clock();
        clock.before(Step::Platform(act));
        let before = clock.monotonic();
        let answer = self.answer(act, on, work);
        let took = clock.monotonic().saturating_sub(before);
        {
            let mut world = self.server.world();
            world.longest = world.longest.max(took);
        }
        clock.after(Step::Platform(act));
        answer
    }

    fn answer<T>(
        &mut self,
        act: Act,
        on: Option<i64>,
        work: impl FnOnce(&mut World) -> Result<(T, Vec<(i64, Option<bool>)>), PlatformError>,
    ) -> Answer<T> {
        let is_login = act >= Act::LoginPrepare;
        if self.session.is_none() && !is_login {
            let reason = HoldReason::LoginRequired;
            return no_reply(stop(reason, None), Effect::Unsent);
        }
        let mut world = self.server.world();
        let clock = world.clock.clone();
        let mut trouble = world.take_trouble(act);
        let mut slow = Duration::ZERO;
        if let Some(Trouble::Slow(seconds)) = trouble {
            trouble = None;
            slow = Duration::from_secs(u64::from(seconds));
        }
        let (slept, late, misdated, undated) = world.take_odds(act);
        if !late.is_zero() {
            trouble = Some(Trouble::TimedOut(applied(trouble)));
        }
        let undated = undated && world.date.is_some();
        world.unanswered = trouble.is_some_and(is_no_answer);
        match trouble {
            Some(Trouble::Unsent) => return no_reply(Next::RepeatRead, Effect::Unsent),
            Some(Trouble::NotMade) => return no_reply(Next::EndPass, Effect::Unsent),
            _ => {}
        }
        if world.silent {
            let note = format!("{act:?} was sent by a process that had died or lost its memory");
            world.violations.push(note);
        }
        clock.suspend(slept);
        let wall = clock.now().plus(late);
        clock.spend(HALF_WAY);
        let at = clock.server().plus(late);
        let applied = applied(trouble);
        let alive = world.session_alive || is_login;
        let result = if alive && applied != Applied::No {
            Some(work(&mut world))
        } else {
            None
        };
        let objected = objection(trouble, alive);
        let undated = undated && (world.told || objected.is_some());
        let misdated = world.date.filter(|_| !undated).map_or(0, |_| misdated);
        let took_effect = matches!(result, Some(Ok(_)));
        if act == Act::Like && took_effect {
            world.liked(on, at, applied);
        }
        let said = match (&result, trouble) {
            (Some(Ok((_, said))), None) => said.clone(),
            _ => Vec::new(),
        };
        world.record.push(Entry {
            at,
            wall,
            act,
            on,
            took_effect,
            said,
            objected,
            asked: match trouble {
                Some(Trouble::Objection(_, asked)) => asked,
                _ => None,
            },
            slept,
            late,
            misdated,
            undated,
        });
        let date = world
            .date
            .filter(|_| !undated)
            .map(|off| Timestamp::from_secs(clock.server().as_secs() + off + misdated));
        world.told |= date.is_some() && !world.unanswered;
        clock.spend(HALF_WAY + slow);
        world.version += 1;
        let json = format!("{{\"version\":{}}}", world.version);
        let error = match trouble {
            Some(Trouble::Broken(_)) => return no_reply(Next::RepeatRead, Effect::Unknown),
            Some(Trouble::TimedOut(_)) => {
                clock.spend(TIME_OUT);
                return no_reply(Next::EndPass, Effect::Unknown);
            }
            Some(trouble) => Some(answered(trouble, &clock)),
            None if !alive => Some(refused(stop(HoldReason::LoginRequired, None))),
            None => None,
        };
        drop(world);
        let done = || result.expect("without trouble the work was done");
        let result = error.map_or_else(|| done().map(|(value, _)| value), Err);
        if self.session.is_some() {
            self.server.world().given.clone_from(&json);
        }
        let session = self.session.as_mut().map(|session| {
            session.json = Secret::new(json);
            session.clone()
        });
        Answer {
            result,
            server_time: date,
            session,
        }
    }

    fn logged_in(&mut self, answer: &mut Answer<Myself>) {
        if answer.result.is_ok() {
            let mut world = self.server.world();
            if world.keeps_sessions {
                return;
            }
            world.session_alive = true;
            world.given = format!("{{\"version\":{}}}", world.version);
            let session = Session {
                pk: pk(world.me),
                json: Secret::new(world.given.clone()),
            };
            answer.session = Some(session);
        }
    }
}

fn applied(trouble: Option<Trouble>) -> Applied {
    match trouble {
        None => Applied::Now,
        Some(
            Trouble::Broken(applied)
            | Trouble::TimedOut(applied)
            | Trouble::ServerError(applied)
            | Trouble::Incomplete(applied),
        ) => applied,
        Some(_) => Applied::No,
    }
}

/// Whether the platform seems out of reach.
fn is_no_answer(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Unsent
            | Trouble::NotMade
            | Trouble::Broken(_)
            | Trouble::TimedOut(_)
            | Trouble::ServerError(_)
    )
}

fn objection(trouble: Option<Trouble>, alive: bool) -> Option<HoldReason> {
    match trouble {
        Some(Trouble::Objection(reason, _) | Trouble::Page(reason)) => Some(reason),
        Some(Trouble::Incomplete(_)) => Some(HoldReason::UnknownShape),
        None if !alive => Some(HoldReason::LoginRequired),
        _ => None,
    }
}

fn stop(reason: HoldReason, until: Option<Timestamp>) -> Next {
    Next::Stop(Objection { reason, until })
}

fn answered(trouble: Trouble, clock: &TestClock) -> PlatformError {
    let unknown_shape = stop(HoldReason::UnknownShape, None);
    match trouble {
        Trouble::ServerError(_) => failed(Next::EndPass, Effect::Unknown),
        Trouble::Incomplete(_) => failed(unknown_shape, Effect::Unknown),
        Trouble::Objection(reason, asked) => {
            let until = asked.map(|asked| clock.now().plus(asked));
            refused(stop(reason, until))
        }
        Trouble::Page(reason) => failed(stop(reason, None), Effect::Unknown),
        Trouble::Private => refused(Next::SkipTarget(TargetTrouble::Private)),
        Trouble::UserGone => refused(Next::SkipTarget(TargetTrouble::Gone)),
        Trouble::ItemGone => refused(Next::SkipGoneItem),
        Trouble::InvalidItem => refused(Next::SkipInvalidItem),
        Trouble::Slow(_)
        | Trouble::Unsent
        | Trouble::NotMade
        | Trouble::Broken(_)
        | Trouble::TimedOut(_) => {
            unreachable!("these have no reply, or a good one")
        }
    }
}

fn no_reply<T>(next: Next, effect: Effect) -> Answer<T> {
    Answer {
        result: Err(failed(next, effect)),
        server_time: None,
        session: None,
    }
}

fn said(listing: &Listing) -> Vec<(i64, Option<bool>)> {
    let items = listing.items.iter();
    items
        .map(|item| (item.id.media.get(), item.has_liked))
        .collect()
}

fn myself(world: &World) -> Myself {
    Myself {
        pk: pk(world.me),
        username: "operator".to_owned(),
    }
}

impl Platform for Client {
    fn current_user(&mut self) -> Answer<Myself> {
        self.ask(Act::CurrentUser, None, |world| {
            Ok((myself(world), Vec::new()))
        })
    }

    fn user_by_name(&mut self, username: &str) -> Answer<User> {
        self.ask(Act::UserByName, None, |world| {
            let person = world
                .people
                .iter()
                .find(|person| person.name == username && !person.gone)
                .ok_or_else(|| refused(Next::SkipTarget(TargetTrouble::Gone)))?;
            let user = User {
                pk: pk(person.pk),
                username: person.name.clone(),
                is_private: person.private,
                following: Some(false),
            };
            Ok((user, Vec::new()))
        })
    }

    fn stories(&mut self, owner: Pk) -> Answer<Listing> {
        self.ask(Act::Stories, Some(owner.get()), |world| {
            let listing = world.stories(owner.get())?;
            let said = said(&listing);
            Ok((listing, said))
        })
    }

    fn posts(&mut self, owner: Pk, page: Option<&str>) -> Answer<Listing> {
        self.ask(Act::Posts, Some(owner.get()), |world| {
            let listing = world.posts(owner.get(), page)?;
            let said = said(&listing);
            Ok((listing, said))
        })
    }

    fn media_info(&mut self, kind: ItemKind, id: ItemId) -> Answer<Item> {
        let media = id.media.get();
        self.ask(Act::MediaInfo, Some(media), |world| {
            let (owner, thing) = world.exists(media)?;
            let mut item = world.item(owner, kind, &thing);
            if world.has_liked == HasLiked::OfItself {
                item.has_liked = Some(world.likes.contains_key(&media));
            }
            let said = vec![(media, item.has_liked)];
            Ok((item, said))
        })
    }

    fn view_story(&mut self, story: &Item) -> Answer<()> {
        let media = story.id.media.get();
        self.ask(Act::View, Some(media), |world| {
            world.exists(media).map(|_| ((), Vec::new()))
        })
    }

    fn like(&mut self, item: &Item) -> Answer<()> {
        let media = item.id.media.get();
        self.ask(Act::Like, Some(media), |world| {
            world.exists(media).map(|_| ((), Vec::new()))
        })
    }

    fn login_prepare(&mut self) -> Answer<()> {
        let answer = self.ask(Act::LoginPrepare, None, |_| Ok(((), Vec::new())));
        if self.server.look().names_machines && answer.server_time.is_some() {
            MARKED_DEVICE.clone_into(&mut self.device);
        }
        answer
    }

    fn login_key(&mut self) -> Answer<PasswordKey> {
        self.ask(Act::LoginKey, None, |_| {
            let key = PasswordKey {
                id: 1,
                pem: "pem".to_owned(),
            };
            Ok((key, Vec::new()))
        })
    }

    fn login_password(&mut self, _: &str, _: &Secret, _: &PasswordKey) -> Answer<LoginReply> {
        let wants_code = self.server.look().second_factor;
        let answer = self.ask(Act::LoginPassword, None, |world| {
            Ok((myself(world), Vec::new()))
        });
        if wants_code {
            let factor = SecondFactor {
                identifier: Secret::new("this-login"),
                totp: true,
                sms: false,
            };
            return Answer {
                result: answer.result.map(|_| LoginReply::SecondFactor(factor)),
                server_time: answer.server_time,
                session: None,
            };
        }
        let mut answer = answer;
        self.logged_in(&mut answer);
        Answer {
            result: answer.result.map(LoginReply::LoggedIn),
            server_time: answer.server_time,
            session: answer.session,
        }
    }

    fn login_code(&mut self, _: &str, code: &Secret, _: &SecondFactor) -> Answer<Myself> {
        self.server.world().code_submitted = Some(code.expose().to_owned());
        let mut answer = self.ask(Act::LoginCode, None, |world| {
            Ok((myself(world), Vec::new()))
        });
        self.logged_in(&mut answer);
        answer
    }

    fn device(&self) -> Device {
        Device {
            json: self.device.clone(),
        }
    }

    fn use_session(&mut self, session: Option<Session>) {
        self.session = session;
    }
}
