//! What a pass needs from outside, as three traits. Adapters implement them; `engage` holds them;
//! error kinds are named after what the caller does next.

mod clock;
mod platform;
mod store;

pub use clock::*;
pub use platform::*;
pub use store::*;
