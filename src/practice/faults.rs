//! Answers that get lost, break off or come late, and what becomes of the write they belong to.

use std::time::Duration;

use super::bodies;
use super::exchange::{admit, undisturbed};
use super::reactions::Effect;
use super::record::Outcome;
use super::reply::{Delivery, Reply};
use super::state::State;
use super::switches::LostWrite;
use super::trouble::Fault;
use super::understanding::Understood;

/// Lets a fault of the transport take the place of an answer.
pub fn strike(
    state: &mut State,
    understood: &Understood<'_>,
    fault: Fault,
    name: String,
    client_timeout: Duration,
) -> (Reply, Outcome) {
    let lost = state.switches.lost_like;
    match fault {
        Fault::Drop => silent(
            state,
            understood,
            Delivery::Dropped,
            lost,
            name,
            client_timeout,
        ),
        Fault::Stall => silent(
            state,
            understood,
            Delivery::Never,
            lost,
            name,
            client_timeout,
        ),
        Fault::DropApplied => {
            let applied = LostWrite::Applied;
            silent(
                state,
                understood,
                Delivery::Dropped,
                applied,
                name,
                client_timeout,
            )
        }
        Fault::Truncated | Fault::Slow => {
            let (reply, outcome) = undisturbed(state, understood);
            let outcome = match outcome {
                Outcome::Applied => Outcome::AppliedUnanswered(name),
                _ => Outcome::Lost(name),
            };
            let delivery = match fault {
                Fault::Slow => Delivery::Late(client_timeout / 2),
                _ => Delivery::Truncated,
            };
            (reply.delivered(delivery), outcome)
        }
        Fault::Oversized => (bodies::oversized(), Outcome::Lost(name)),
        Fault::GzipBomb => (bodies::gzip_bomb(), Outcome::Lost(name)),
        Fault::NonUtf8 => (bodies::non_utf8(), Outcome::Lost(name)),
        Fault::Redirect => (bodies::redirect(), Outcome::Lost(name)),
    }
}

/// No answer at all; whether the write took effect is up to `lost`.
fn silent(
    state: &mut State,
    understood: &Understood<'_>,
    delivery: Delivery,
    lost: LostWrite,
    name: String,
    client_timeout: Duration,
) -> (Reply, Outcome) {
    let silence = Reply::new(200, "text/plain", Vec::new()).delivered(delivery);
    if lost == LostWrite::Lost || !understood.route.act.is_write() {
        return (silence, Outcome::Lost(name));
    }
    let effects: Vec<Effect> = admit(state, understood).effects;
    if effects.is_empty() {
        return (silence, Outcome::Lost(name));
    }
    let timeout_ms = i64::try_from(client_timeout.as_millis()).unwrap_or(i64::MAX);
    let late_ms = understood
        .now_ms
        .saturating_add(timeout_ms)
        .saturating_add(30_000);
    for effect in effects {
        match lost {
            LostWrite::AppliedLate => state.reactions.apply_later(effect, late_ms),
            _ => state.reactions.apply(effect, understood.now_ms),
        }
    }
    let outcome = match lost {
        LostWrite::AppliedLate => Outcome::AppliesLater(name),
        _ => Outcome::AppliedUnanswered(name),
    };
    (silence, outcome)
}
