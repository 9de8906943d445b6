//! Answers that no API should give.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::reply::{Delivery, JSON, Reply};

/// One mebibyte.
pub const MIB: usize = 1024 * 1024;
/// What a small compressed answer grows to.
const BOMB_MIB: usize = 64;

/// An answer that goes on for more than eight mebibytes.
pub fn oversized() -> Reply {
    Reply::new(200, JSON, b"{\"status\":\"ok\",\"padding\":\"".to_vec())
        .delivered(Delivery::Oversized)
}

/// A small compressed answer that becomes large.
pub fn gzip_bomb() -> Reply {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let blank = vec![b' '; MIB];
    let written = (0..BOMB_MIB).try_for_each(|_| encoder.write_all(&blank));
    let body = written
        .and_then(|()| encoder.finish())
        .expect("memory takes every write");
    let mut reply = Reply::new(200, JSON, body);
    reply.set("content-encoding", "gzip");
    reply
}

/// An answer that is not text.
pub fn non_utf8() -> Reply {
    Reply::new(200, JSON, b"{\"status\":\"\xff\xfe\xc3\x28\"}".to_vec())
}

/// A redirect to the web login page, on this server: nothing leaves the machine.
pub fn redirect() -> Reply {
    let mut reply = Reply::new(302, "text/html; charset=utf-8", Vec::new());
    reply.set("location", "/accounts/login/?next=/api/v1/");
    reply
}
