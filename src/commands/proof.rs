//! Asking once whether the stored session is alive, outside a pass.

use super::shell::Shell;
use super::waiting::Shown;
use crate::config::Config;
use crate::engage::{Actor, Ports, ProofEnd, Stop, prove};
use crate::ports::{Clock, Myself, Platform, Store};
use crate::telemetry::logging::Stream;

/// With what the question is asked.
pub(super) struct Proof<'a> {
    pub shell: &'a Shell,
    pub config: &'a Config,
    pub clock: &'a dyn Clock,
    /// Of the pause before it.
    pub seed: u64,
    /// Whether holds about the session let it through.
    pub despite_session_holds: bool,
}

impl Proof<'_> {
    /// Whose session it is, or why that is not known.
    pub fn ask(&self, platform: &mut dyn Platform, store: &mut dyn Store) -> Result<Myself, Stop> {
        let account = store.account()?;
        let ports = Ports {
            platform,
            store,
            clock: self.clock,
            waiting: &mut Shown::new(self.shell, Stream::Stderr),
        };
        let mut actor = Actor::new(ports, self.config, self.seed, None, false)?;
        if let Some(stop) = actor.pause_before_proof() {
            return Err(stop);
        }
        match prove(&mut actor, &account, self.despite_session_holds, true) {
            ProofEnd::Alive(myself) => Ok(myself),
            ProofEnd::Stop(stop) => Err(stop),
            ProofEnd::RepeatRead => Err(Stop::Unavailable {
                message: "Instagram could not be reached".to_owned(),
                hold_until: None,
            }),
        }
    }
}
