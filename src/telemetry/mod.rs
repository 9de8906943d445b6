//! What the program tells about itself: while it runs, and to those who are not there.

mod child;
pub mod logging;
pub mod metrics;
pub mod notify;
pub mod ping;
mod post;
pub mod progress;
