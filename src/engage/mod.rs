//! The like pass: one careful walk over the targets.
//!
//! ```text
//! loop: step = policy::next(&state, now)     pure
//!       claim in the store                   durable
//!       act on the platform                  may fail
//!       settle in the store                  durable
//!       state.absorb(...)                    pure
//! ```
//!
//! The order is the safety: a request is on record before it is sent, so a crash at any instruction
//! leaves at most one claim without outcome, which counts in every window and is never repeated
//! blindly.

mod absorb;
mod act;
mod actor;
mod forecast;
mod health;
mod login;
mod outlook;
mod pass;
mod policy;
mod queue;
mod reason;
mod remember;
mod report;
mod session;
mod stop;
mod verdict;
mod watch;

pub use absorb::may_be_liked;
pub use actor::{Actor, Ports, Waiting};
pub use forecast::{Forecast, Known, forecast};
pub use health::{Health, HealthStatus, PassRecord, ended_well, health};
pub use login::{CodeSource, Credentials, LoginEnd, log_in, no_room_for_login};
pub use outlook::{Outlook, Seen, outlook};
pub use pass::{Mode, PassInput, pass};
pub use queue::{CARRIED_OVER, as_if_synchronised, next_check, next_listing, wanted};
pub use reason::{Reason, standing};
pub use report::{Counts, Decision, Report, TargetReport, WindowReport};
pub use session::{ProofEnd, prove, resumable, session_holds_cleared};
pub use stop::{HeldBy, Stop};
pub use watch::Watch;
