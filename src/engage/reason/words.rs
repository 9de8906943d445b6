//! The sentence of each reason: what stands against a like, with the numbers that decided, and what to
//! do where something can be done.

use std::fmt;

use super::Reason;
use crate::engage::report::WindowReport;
use crate::model::{TargetTrouble, Timestamp};

/// The sentence for people.
impl fmt::Display for Reason {
    #[allow(clippy::too_many_lines)] // One arm for each reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldLike { windows } if windows.is_empty() => {
                write!(f, "nothing stands against a like of it")
            }
            Self::Liked { windows } if windows.is_empty() => write!(f, "liked"),
            Self::WouldLike { windows } | Self::Liked { windows } => {
                for (index, window) in windows.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    let WindowReport {
                        key, limit, used, ..
                    } = window;
                    write!(f, "{comma}{key} {used} of {limit}")?;
                }
                Ok(())
            }
            Self::AlreadyLiked => write!(f, "liked before the program saw it"),
            Self::Observed { .. } => {
                write!(f, "it was there before the first contact with this target")
            }
            Self::TooOld {
                posts_before: Some(date),
                ..
            } => {
                write!(
                    f,
                    "older than {date}, the date given to cleanup --posts-before: such posts are \
                     never liked again"
                )
            }
            Self::TooOld { .. } => write!(f, "older than posts.max_age when it was listed"),
            Self::EffectUnknown {
                answer: Some(answer),
                ..
            }
            | Self::Refused {
                answer: Some(answer),
                ..
            }
            | Self::Failed {
                answer: Some(answer),
                ..
            }
            | Self::Gone {
                answer: Some(answer),
            }
            | Self::NotSent { answer } => write!(f, "{answer}"),
            Self::EffectUnknown { read_back_from, .. } => {
                write!(
                    f,
                    "a like was sent and its effect is not known; only a reading at least 15 \
                     minutes later can tell"
                )?;
                from(f, *read_back_from)
            }
            Self::Refused { read_back_from, .. } => {
                write!(
                    f,
                    "a like of it did not take; only a reading at least 15 minutes later that says \
                     'not liked' allows one more"
                )?;
                from(f, *read_back_from)
            }
            Self::Failed { tries: 2.., .. } => {
                write!(f, "the like did not take twice; there is no third try")
            }
            Self::Failed { .. } => {
                write!(
                    f,
                    "no like of it can take, or the one on record cannot be told from another"
                )
            }
            Self::Gone { answer: None } => write!(f, "no longer there"),
            Self::Expired { expired_at } => {
                f.write_str("its life has ended")?;
                expired_at.map_or(Ok(()), |at| write!(f, " ({at})"))
            }
            Self::ExpiresSoon { expiring_at } => {
                write!(f, "it expires in a moment ({expiring_at})")
            }
            Self::OnRecord => write!(f, "a like of it is already on record"),
            Self::WindowFull {
                key,
                limit,
                used,
                next_at,
            } => write!(
                f,
                "{key} {limit} is full ({used} used); there is room again at {next_at}"
            ),
            Self::KeptForOthers {
                key,
                limit,
                used,
                kept,
                next_at,
            } => write!(
                f,
                "what is left of {key} {limit} ({used} used) is kept for targets that were liked \
                 less: {kept}; there is room again at {next_at}"
            ),
            Self::TargetCap { key, used } => write!(f, "{key} is reached for this run ({used})"),
            Self::RunCap { used, .. } => {
                write!(
                    f,
                    "limits.likes_per_run is reached ({used}); the next pass goes on"
                )
            }
            Self::TimeUsed { .. } => {
                write!(f, "limits.max_runtime is used up; the next pass goes on")
            }
            Self::QuietHours { until } => {
                write!(
                    f,
                    "quiet_hours last until {until}; a pass after that goes on"
                )
            }
            Self::Hold {
                hold,
                until,
                message,
            } => {
                let name = hold.as_str();
                match until {
                    Some(until) => write!(f, "hold '{name}' until {until}")?,
                    None => write!(f, "hold '{name}' {}", hold.lasts())?,
                }
                // The message of an answer ends with its remedy; without one the name has to do.
                if message.is_empty() {
                    Ok(())
                } else {
                    write!(f, ": {message}")
                }
            }
            Self::NoSession { database } => write!(
                f,
                "no session in {database}; run 'story-liker session import FILE' or 'story-liker \
                 login' with the same --profile and --database"
            ),
            Self::PassEnded { message, .. } => write!(f, "{message}"),
            Self::TargetOff { target } => {
                write!(f, "its target {target} is not on the list at present")
            }
            Self::KindOff { target, setting } => {
                write!(f, "the configuration wants no {setting} of {target}")
            }
            Self::TargetTrouble {
                target,
                trouble,
                retry_at,
            } => {
                let trouble = trouble.map_or("not to be seen", TargetTrouble::as_str);
                write!(f, "{target} is {trouble}; looked at again after {retry_at}")
            }
            Self::NotListed { next_at } => {
                write!(f, "its target is listed next at {next_at}")
            }
            Self::NotConsidered { key, limit } => {
                write!(f, "{key} is {limit}, and at least so many posts are newer")
            }
        }
    }
}

fn from(f: &mut fmt::Formatter<'_>, moment: Option<Timestamp>) -> fmt::Result {
    moment.map_or(Ok(()), |moment| write!(f, " (from {moment} on)"))
}
