//! TLS as the real hosts speak it: version 1.3 only, HTTP/2 only, under their names. The authority
//! is made at start and lives as long as the server.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, version::TLS13};

/// Names the leaf certificate is good for.
const NAMES: [&str; 4] = [
    "i.instagram.com",
    "b.i.instagram.com",
    "localhost",
    "127.0.0.1",
];

/// The only protocol offered.
pub const ALPN: &[u8] = b"h2";

/// A listener's TLS side and the authority clients have to trust for it.
pub struct Tls {
    /// Takes connections.
    pub acceptor: TlsAcceptor,
    /// The authority's certificate in PEM.
    pub ca_pem: String,
}

/// Makes an authority and a leaf certificate.
pub fn make() -> Result<Tls, Box<dyn std::error::Error + Send + Sync>> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(NAMES.map(str::to_owned))?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca_pem: authority.pem(),
    })
}
