//! The only place that knows how requests and replies are spelled.

pub mod replies;
pub mod requests;

pub use replies::pk_of;
pub use requests::{Request, SECOND_FACTOR, Scope};
