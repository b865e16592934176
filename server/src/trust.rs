//! Whose certificates are trusted when this program connects to others.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A client of TLS that trusts the certificates of a file, in PEM, or those that browsers know.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn client(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let pem = fs::read(path).map_err(|error| error.to_string())?;
            for found in CertificateDer::pem_slice_iter(&pem) {
                let found = found.map_err(|error| error.to_string())?;
                roots.add(found).map_err(|error| error.to_string())?;
            }
            if roots.is_empty() {
                return Err("there is no certificate in PEM".to_owned());
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
