//! TLS for those who connect: of what the configuration names, a server's side.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};

use super::config::{ClientAuth, TlsServer, WebConfigError};

/// Reads the files, and checks that key and certificate belong together.
pub(super) fn server_config(tls: &TlsServer) -> Result<ServerConfig, WebConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: &[_] = if tls.only_1_3 { &[&TLS13] } else { &[&TLS13, &TLS12] };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| bad(&tls.cert_file, &error))?;
    let builder = match verifier(tls, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let chain = certificates(&tls.cert_file)?;
    let key = PrivateKeyDer::from_pem_file(&tls.key_file);
    let key = key.map_err(|error| bad(&tls.key_file, &error))?;
    let mut config =
        builder.with_single_cert(chain, key).map_err(|error| bad(&tls.key_file, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    tls: &TlsServer,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, WebConfigError> {
    let Some(file) = tls.client_ca_file.as_ref().filter(|_| tls.client_auth != ClientAuth::None)
    else {
        return Ok(None);
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| bad(file, &error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match tls.client_auth {
        ClientAuth::IfGiven => builder.allow_unauthenticated(),
        _ => builder,
    };
    builder.build().map(Some).map_err(|error| bad(file, &error))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, WebConfigError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let certificates: Vec<_> = read.map_err(|error| bad(file, &error))?;
    match certificates.is_empty() {
        true => Err(bad(file, &"it has no certificate")),
        false => Ok(certificates),
    }
}

fn bad(file: &Path, why: &dyn std::fmt::Display) -> WebConfigError {
    let why = format!("can't be used for TLS ({why}); name a good file in PEM");
    WebConfigError { file: file.to_owned(), line: None, why }
}
