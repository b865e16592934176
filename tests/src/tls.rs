//! Certificates that are made for a test, and clients that trust them and nothing else.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use ureq::tls::{RootCerts, TlsConfig};

/// A certificate for 127.0.0.1 and localhost that has signed itself.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate in PEM.
    pub pem: String,
    /// Its key in PEM.
    pub key_pem: String,
    /// The certificate as it is sent.
    pub der: CertificateDer<'static>,
}

impl Certificate {
    /// A new one.
    pub fn make() -> Self {
        let names = ["127.0.0.1", "localhost"].map(str::to_owned);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(names).expect("names");
        let cert = params.self_signed(&key).expect("a certificate");
        Self {
            pem: cert.pem(),
            key_pem: key.serialize_pem(),
            der: cert.der().clone(),
        }
    }

    /// Writes `cert.pem` and `key.pem`, in the place of those that are there.
    pub fn write(&self, dir: &Path) -> (PathBuf, PathBuf) {
        let files = (dir.join("cert.pem"), dir.join("key.pem"));
        for (path, text) in [(&files.0, &self.pem), (&files.1, &self.key_pem)] {
            fs::write(path, text).expect("a file");
        }
        files
    }

    /// Opens a connection and trusts this certificate alone.
    ///
    /// # Errors
    /// The server shows another one, or speaks something else.
    pub async fn connect(&self, address: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::from(address.ip());
        let stream = TcpStream::connect(address).await?;
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await
    }

    /// Ends TLS with this certificate, as a proxy does.
    pub fn acceptor(&self) -> Arc<TlsAcceptor> {
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], key)
            .expect("a certificate and its key");
        Arc::new(TlsAcceptor::from(Arc::new(config)))
    }

    /// The same for requests over HTTP.
    pub fn trusted(&self) -> TlsConfig {
        let der = ureq::tls::Certificate::from_der(&self.der).to_owned();
        TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[der]))
            .build()
    }
}
