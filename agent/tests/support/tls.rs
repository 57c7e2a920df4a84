//! The certificates and keys of `tests/tls`, as the tests need them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

/// Longer than any answer takes; only a hang gets there.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// The path of one of the files.
pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

fn chain(name: &str) -> Vec<CertificateDer<'static>> {
    let file = file(&format!("{name}.pem"));
    CertificateDer::pem_file_iter(file).unwrap().collect::<Result<_, _>>().unwrap()
}

fn key(name: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).unwrap()
}

fn roots(name: &str) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(chain(name));
    Arc::new(roots)
}

/// A server that wants a client's certificate.
pub(crate) fn server() -> Arc<ServerConfig> {
    let provider = Arc::new(default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots("ca"), Arc::clone(&provider)).build();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.unwrap())
        .with_single_cert(chain("server"), key("server"));
    Arc::new(config.unwrap())
}

/// A client that trusts this authority, and shows a certificate if it is to.
pub(crate) fn client(authority: &str, shows: bool) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(authority));
    Arc::new(match shows {
        true => config.with_client_auth_cert(chain("client"), key("client")).unwrap(),
        false => config.with_no_client_auth(),
    })
}

/// What a server that is not plain answers to a request for a page with these lines in its head.
///
/// # Errors
/// Where there is no trust, or no answer.
pub(crate) fn get(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
    path: &str,
    lines: &str,
) -> io::Result<String> {
    let name = ServerName::from(address.ip());
    let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    let mut stream = StreamOwned::new(connection, stream);
    write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{lines}\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
