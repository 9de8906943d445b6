//! What protects the account: rolling windows, holds, pauses, quiet hours, the clock's error. All
//! pure: `now` and chance are arguments, nothing here sleeps, sends or stores.

pub mod hold;
pub mod limits;
pub mod pace;
pub mod quiet;
pub mod skew;
pub mod warm_up;
pub mod window;
