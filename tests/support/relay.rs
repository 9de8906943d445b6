//! Passes bytes on to another server, counts connections, and can cut them.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

#[allow(dead_code)]
pub struct Relay {
    pub address: SocketAddr,
    /// Both ends of every connection so far.
    ends: Arc<Mutex<Vec<[TcpStream; 2]>>>,
    /// What was sent on to the target so far.
    sent: Arc<Mutex<Vec<u8>>>,
}

#[allow(dead_code)]
impl Relay {
    /// Passes everything on to `target`.
    pub fn to(target: SocketAddr) -> Self {
        let (relay, listener) = Self::bind();
        let ends = Arc::clone(&relay.ends);
        let sent = Arc::clone(&relay.sent);
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), TcpStream::connect(target).unwrap());
                let both = [near.try_clone().unwrap(), far.try_clone().unwrap()];
                ends.lock().unwrap().push(both);
                let sent = Arc::clone(&sent);
                let keep = move |bytes: &[u8]| sent.lock().unwrap().extend_from_slice(bytes);
                pass_on(near.try_clone().unwrap(), far.try_clone().unwrap(), keep);
                pass_on(far, near, |_| {});
            }
        });
        relay
    }

    /// Accepts connections and never says a word.
    pub fn silent() -> Self {
        let (relay, listener) = Self::bind();
        thread::spawn(move || {
            let kept: Vec<_> = listener.incoming().collect();
            drop(kept);
        });
        relay
    }

    fn bind() -> (Self, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            ends: Arc::default(),
            sent: Arc::default(),
        };
        (relay, listener)
    }

    pub fn connections(&self) -> usize {
        self.ends.lock().unwrap().len()
    }

    /// What was sent on to the target so far, in the order of arrival.
    pub fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().clone()
    }

    /// Ends every present connection.
    pub fn cut(&self) {
        for end in self.ends.lock().unwrap().iter().flatten() {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, keep: impl Fn(&[u8]) + Send + 'static) {
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            keep(&buffer[..length]);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
