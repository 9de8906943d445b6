//! An HTTP/2 server that refuses every request at protocol level: the one answer after which an
//! HTTP library may send the request again without asking.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

type Stream = StreamOwned<ServerConnection, TcpStream>;

const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const SETTINGS_ACK: [u8; 9] = [0, 0, 0, 4, 1, 0, 0, 0, 0];
const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];

pub struct Refusing {
    pub address: SocketAddr,
    pub certificate: String,
    requests: Arc<AtomicUsize>,
}

impl Refusing {
    pub fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["i.instagram.com".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                let (stream, count) = (StreamOwned::new(tls, stream.unwrap()), Arc::clone(&count));
                // Ends with an error when the client hangs up.
                thread::spawn(move || drop(refuse(stream, &count)));
            }
        });
        Self {
            address,
            certificate: made.cert.pem(),
            requests,
        }
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn refuse(mut stream: Stream, count: &AtomicUsize) -> std::io::Result<()> {
    stream.read_exact(&mut [0; PREFACE])?;
    stream.write_all(&EMPTY_SETTINGS)?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let (kind, flags, id) = (head[3], head[4], &head[5..]);
        stream.read_exact(&mut vec![0; length as usize])?;
        match kind {
            // HEADERS: a request.
            1 => {
                count.fetch_add(1, Ordering::SeqCst);
                let reset = [&[0, 0, 4, 3, 0], id, &REFUSED_STREAM].concat();
                stream.write_all(&reset)?;
            }
            // SETTINGS.
            4 if flags == 0 => stream.write_all(&SETTINGS_ACK)?,
            _ => {}
        }
        stream.flush()?;
    }
}
