//! The running server: one background thread, one lock, gone when dropped.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::clock::{PracticeClock, WallClock};
use super::credentials::Credentials;
use super::exchange;
use super::record::RecordEntry;
use super::reply::Reply;
use super::request::Request;
use super::routes::control;
use super::state::State;
use super::switches::{Echo, Switches};
use super::tls::{self, Tls};
use super::trouble::Trouble;
use super::wire::{self, Version};
use super::world::World;

/// How long a client waits for an answer, unless said otherwise.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(20);

/// What clients speak with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// TLS 1.3 with HTTP/2, as the real hosts.
    Tls,
    /// Plain HTTP/1.1.
    Plain,
}

/// How to start a server.
pub struct Options {
    /// Loopback address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// TLS or plain.
    pub wire: Wire,
    /// Determines credentials, latencies and whatever else is drawn.
    pub seed: u64,
    /// The clock shared with the client.
    pub clock: Arc<dyn PracticeClock>,
    /// Who and what there is.
    pub world: World,
    /// Positions of the switches.
    pub switches: Switches,
    /// What a stalled request costs on a virtual clock; also sets how late a late effect is.
    pub client_timeout: Duration,
}

impl Options {
    /// For the client of this crate in a rehearsal: TLS on a free port, the seed's world, beginning
    /// now by `clock`; every rule strict.
    pub fn rehearsal(seed: u64, clock: Arc<dyn PracticeClock>) -> Self {
        let world = World::seeded(seed, clock.now_ms());
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            wire: Wire::Tls,
            seed,
            clock,
            world,
            switches: Switches::default(),
            client_timeout: CLIENT_TIMEOUT,
        }
    }

    /// For clients of others, in real time; state headers need not come back.
    pub fn serving(listen: SocketAddr, wire: Wire, seed: u64) -> Self {
        let switches = Switches {
            echo: Echo::Lenient,
            ..Switches::default()
        };
        Self {
            listen,
            wire,
            switches,
            ..Self::rehearsal(seed, Arc::new(WallClock))
        }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is reachable from elsewhere.
    #[error("the practice server listens on loopback only, not on {0}; choose 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}; choose another port, or port 0 for a free one")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// Certificates could not be made.
    #[error("cannot make the practice certificate")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The background thread could not be started.
    #[error("cannot start the practice server's thread")]
    Thread(#[source] std::io::Error),
}

struct Shared {
    state: Mutex<State>,
    clock: Arc<dyn PracticeClock>,
    client_timeout: Duration,
    wire: Wire,
    port: u16,
}

/// A practice Instagram on loopback.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    ca_pem: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server; it answers from now on.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let listen = options.listen;
        if !listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(listen));
        }
        let cannot_listen = |error| StartError::Listen(listen, error);
        let listener = TcpListener::bind(listen).map_err(cannot_listen)?;
        listener.set_nonblocking(true).map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let tls = match options.wire {
            Wire::Plain => None,
            Wire::Tls => Some(tls::make().map_err(StartError::Certificate)?),
        };
        let ca_pem = tls.as_ref().map(|tls| tls.ca_pem.clone());
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(options.seed, options.world, options.switches)),
            clock: options.clock,
            client_timeout: options.client_timeout,
            wire: options.wire,
            port: address.port(),
        });
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let answering = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("practice".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, tls, answering) => {}
                        _ = stopped => {}
                    }
                });
            })
            .map_err(StartError::Thread)?;
        Ok(Self {
            shared,
            address,
            ca_pem,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`. The certificate is good for that name
    /// and for the real hosts' names.
    pub fn base_url(&self) -> String {
        let scheme = if self.ca_pem.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// The authority to trust, in PEM; `None` for plain HTTP.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// What gets in.
    pub fn credentials(&self) -> Credentials {
        self.state().credentials.clone()
    }

    /// Names an operator would configure as targets.
    pub fn targets(&self) -> Vec<String> {
        self.state().world.targets()
    }

    /// A target who publishes nothing, where the world has one.
    pub fn quiet_target(&self) -> Option<String> {
        self.state().world.quiet_target()
    }

    /// Everything received so far.
    pub fn record(&self) -> Vec<RecordEntry> {
        self.state().record.entries().to_vec()
    }

    /// Like requests received per item, by full media id, whatever became of them.
    pub fn likes_per_item(&self) -> BTreeMap<String, u32> {
        self.state().record.likes_per_item()
    }

    /// How often each violation occurred.
    pub fn violations(&self) -> BTreeMap<String, u32> {
        self.state().record.violations()
    }

    /// Whether the operator's like of this item is in effect now.
    pub fn is_liked(&self, media_pk: u64) -> bool {
        let now_ms = self.shared.clock.now_ms();
        let mut state = self.state();
        state.reactions.settle(now_ms);
        state.reactions.is_liked(media_pk, now_ms)
    }

    /// Whether the item's author can see the like: a story's only if the view came first.
    pub fn is_delivered(&self, media_pk: u64, is_story: bool) -> bool {
        let mut state = self.state();
        state.reactions.settle(self.shared.clock.now_ms());
        state.reactions.is_delivered(media_pk, is_story)
    }

    /// Arms a trouble.
    pub fn arm(&self, trouble: Trouble) {
        self.state().troubles.arm(trouble);
    }

    /// The positions of all switches.
    pub fn switches(&self) -> Switches {
        self.state().switches
    }

    /// Sets all switches.
    pub fn set_switches(&self, switches: Switches) {
        self.state().switches = switches;
    }

    /// Reads or changes the world.
    pub fn with_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.state().world)
    }

    /// Ends every session, as when the operator logs out everywhere.
    pub fn revoke_sessions(&self) {
        self.state().sessions.revoke_all();
    }

    /// Opens a new session of the operator's, as when they log in with a browser. Returns its id.
    pub fn new_session(&self) -> String {
        self.state().new_session()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails only when the thread has ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // What a panicking request left is still the record of what was received.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Reply {
        let mut state = self.state();
        if request.path.starts_with("/practice/") {
            return control::answer(&mut state, request, self.clock.now_ms());
        }
        let hosts = |host: &str| self.is_host(host);
        exchange::answer(
            &mut state,
            self.clock.as_ref(),
            self.client_timeout,
            &hosts,
            request,
        )
    }

    /// The real names, with or without this port; in plain mode loopback names too.
    fn is_host(&self, host: &str) -> bool {
        let name = host
            .strip_suffix(&format!(":{}", self.port))
            .unwrap_or(host);
        let loopback = ["127.0.0.1", "localhost", "[::1]"];
        matches!(name, "i.instagram.com" | "b.i.instagram.com")
            || (self.wire == Wire::Plain && loopback.contains(&name))
    }
}

async fn accept(listener: TcpListener, tls: Option<Tls>, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let answer: Arc<wire::Answer> = Arc::new(move |request: &Request| shared.answer(request));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Small answers should not wait for acknowledgements of earlier ones.
        let _ = stream.set_nodelay(true);
        let Ok(line) = stream.as_fd().try_clone_to_owned() else {
            continue;
        };
        let answer = Arc::clone(&answer);
        let acceptor = tls.as_ref().map(|tls| tls.acceptor.clone());
        tokio::spawn(async move {
            let Some(acceptor) = acceptor else {
                return wire::serve(stream, Version::One, answer, line).await;
            };
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            // Who names no protocol gets none, as the names are all there is to agree on.
            if stream.get_ref().1.alpn_protocol() == Some(tls::ALPN) {
                wire::serve(stream, Version::Two, answer, line).await;
            }
        });
    }
}
