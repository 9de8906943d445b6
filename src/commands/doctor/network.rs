//! Whether the configured hosts have an address and take a connection. Nothing is sent over it.

use std::iter;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use url::Url;

use super::check::Check;
use crate::config::{BaseUrl, Config};
use crate::exit::ExitCode;
use crate::model::Secret;

/// A host that the configuration names.
pub(super) struct Host {
    /// The key that names it.
    pub key: &'static str,
    pub name: String,
    pub port: u16,
    /// Whether a pass can do nothing without it.
    pub is_vital: bool,
}

/// Every host that a pass may speak to.
pub(super) fn hosts(config: &Config) -> Vec<Host> {
    let (name, port) = match &config.instagram.base_url {
        BaseUrl::Real => ("i.instagram.com".to_owned(), 443),
        BaseUrl::LoopbackTls(address) | BaseUrl::LoopbackPlain(address) => {
            (address.ip().to_string(), address.port())
        }
    };
    let instagram = Host {
        key: "instagram.base_url",
        name,
        port,
        is_vital: true,
    };
    let told = [
        ("ping.url", &config.ping),
        ("notify.url", &config.notify.url),
    ];
    let told = told
        .into_iter()
        .filter_map(|(key, address)| of_address(key, address.as_ref()?));
    iter::once(instagram).chain(told).collect()
}

/// The address is a secret, its host is not: whoever watches the network sees it.
fn of_address(key: &'static str, address: &Secret) -> Option<Host> {
    let url = Url::parse(address.expose()).ok()?;
    let name = match url.host()? {
        url::Host::Domain(name) => name.to_owned(),
        url::Host::Ipv4(address) => address.to_string(),
        url::Host::Ipv6(address) => address.to_string(),
    };
    Some(Host {
        key,
        name,
        port: url.port_or_known_default()?,
        is_vital: false,
    })
}

const ID: &str = "network";

impl Host {
    fn unreachable(&self, finding: String, remedy: &str) -> Check {
        if self.is_vital {
            Check::problem(ID, ExitCode::Unavailable, finding, remedy)
        } else {
            Check::warning(ID, finding, remedy)
        }
    }
}

/// Looks the host up and connects to it.
pub(super) fn reach(host: &Host, timeout: Duration) -> Check {
    let Host {
        key, name, port, ..
    } = host;
    let addresses = match look_up(name, *port, timeout) {
        Ok(addresses) => addresses,
        Err(why) => {
            return host.unreachable(
                format!("{name} ({key}) has no address here: {why}"),
                "check the name servers (/etc/resolv.conf), and whether port 53 may be reached",
            );
        }
    };
    let mut last = "no address".to_owned();
    for address in &addresses {
        match TcpStream::connect_timeout(address, timeout) {
            Ok(_) => {
                return Check::ok(ID, format!("{name} port {port} ({key}) takes connections"));
            }
            Err(error) => last = error.to_string(),
        }
    }
    host.unreachable(
        format!("{name} port {port} ({key}) takes no connection: {last}"),
        "check the network, a firewall, a NetworkPolicy; there is no way through a proxy",
    )
}

/// The system's own look-up knows no time limit, so it is left behind when it takes too long.
fn look_up(name: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, String> {
    let (sender, found) = mpsc::channel();
    let host = (name.to_owned(), port);
    thread::spawn(move || sender.send(host.to_socket_addrs().map(Iterator::collect)));
    match found.recv_timeout(timeout) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::config::{Environment, Request, load};

    fn config(base_url: &str) -> Config {
        told_at(base_url, "", "")
    }

    fn told_at(base_url: &str, ping: &str, notify: &str) -> Config {
        let variables = [
            ("HOME", "/nowhere"),
            ("STORY_LIKER_INSTAGRAM_BASE_URL", base_url),
            ("STORY_LIKER_PING_URL", ping),
            ("STORY_LIKER_NOTIFY_URL", notify),
        ];
        let environment: Environment = variables.into_iter().collect();
        load(&Request::default(), &environment).unwrap().config
    }

    #[test]
    fn the_hosts_are_those_of_the_configuration() {
        let named = |config: &Config| -> Vec<(String, u16)> {
            let hosts = hosts(config).into_iter();
            hosts.map(|host| (host.name, host.port)).collect()
        };
        let real = "https://i.instagram.com";
        let of = |name: &str, port| (name.to_owned(), port);
        assert_eq!(named(&config(real)), [of("i.instagram.com", 443)]);
        let told = told_at(
            real,
            "https://me:secret@hc-ping.example/secret?key=secret",
            "http://[::1]:8080/secret",
        );
        assert_eq!(
            named(&told)[1..],
            [of("hc-ping.example", 443), of("::1", 8080)]
        );
    }

    #[test]
    fn a_host_that_listens_is_reached_and_one_that_does_not_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = |port| hosts(&config(&format!("http://127.0.0.1:{port}"))).remove(0);
        let timeout = Duration::from_secs(5);
        assert_eq!(reach(&host(port), timeout).exit_code, None);
        // Nothing may be sent: whoever accepts finds the connection ended.
        let (mut stream, _) = listener.accept().unwrap();
        let mut received = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut received).unwrap();
        assert_eq!(received, b"");
        let refused = reach(&host(1), timeout);
        assert_eq!(refused.exit_code, Some(ExitCode::Unavailable));
        let monitor = told_at("", "http://127.0.0.1:1/secret", "");
        let refused_too = reach(&hosts(&monitor)[1], timeout);
        assert_eq!(refused_too.exit_code, None, "a pass does without");
        assert!(!refused_too.finding.contains("secret"), "{refused_too:?}");
        assert!(
            refused.finding.contains("instagram.base_url"),
            "{refused:?}"
        );
    }
}
