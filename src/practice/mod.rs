//! A practice Instagram: a strict server for loopback with a simulated world behind it.
