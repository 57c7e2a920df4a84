//! Who is trusted behind `https`, and as whom we come: files in PEM, read once.

use std::path::Path;
use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::config::{ConfigError, Endpoint};

/// Makes connections as an endpoint wants them.
pub(super) fn connector(endpoint: &Endpoint) -> Result<HttpsConnector<HttpConnector>, ConfigError> {
    let config = client_config(endpoint)?;
    Ok(HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build())
}

fn client_config(endpoint: &Endpoint) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // The provider has ciphers for both versions, so that there are versions.
    let builder = versions.map_err(|_| ConfigError::NoAuthorities)?;
    let builder = builder.with_root_certificates(authorities(endpoint)?);
    let Some((certificate, key)) = &endpoint.tls.client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, &error))?;
    let with_client = builder.with_client_auth_cert(chain, private);
    with_client.map_err(|error| bad(key, &error))
}

fn authorities(endpoint: &Endpoint) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    if !endpoint.is_https() {
        return Ok(roots);
    }
    match &endpoint.tls.authorities {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| bad(file, &error))?;
            }
        }
        None => {
            // What can't be read of them is passed over, as long as there are others.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(ConfigError::NoAuthorities);
            }
        }
    }
    Ok(roots)
}

/// All certificates in a file, of which there must be one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    let certificates: Vec<_> = read.map_err(|error| bad(file, &error))?;
    match certificates.is_empty() {
        true => Err(bad(file, &"it has no certificate")),
        false => Ok(certificates),
    }
}

fn bad(file: &Path, why: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::Pem { file: file.to_owned(), why: why.to_string() }
}
