//! TLS of the server's own: the certificate and its key come from files, and are used anew when the
//! files change.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::linger::Lingering;
use crate::reload::{Reload, read_small};

/// Largest file: a chain of certificates has a few KiB.
const FILE_MAX_BYTES: u64 = 1_024 * 1_024;
/// What a connection that speaks TLS begins with: a record of the handshake (RFC 8446 section 5.1).
const HANDSHAKE_RECORD: u8 = 22;
/// What somebody is told who speaks HTTP to a port of TLS.
const SPEAKS_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
    connection: close\r\ncontent-length: 42\r\n\r\nthis port speaks TLS; begin with https://\n";

/// Where the certificate and its key are, and how they are used.
#[derive(Clone, Debug)]
pub struct TlsRules {
    /// The certificate and those that lead to a known authority, in PEM.
    pub cert: PathBuf,
    /// The key of the certificate, in PEM, without a passphrase.
    pub key: PathBuf,
    /// Time from the beginning of a connection to the end of its handshake. Above it the connection
    /// is closed.
    pub handshake_within_ms: u64,
    /// How often the files are looked at.
    pub look_every_ms: u64,
}

impl TlsRules {
    /// These files, with a handshake of at most 10 s, looked at every 10 s.
    pub fn new(cert: PathBuf, key: PathBuf) -> Self {
        Self {
            cert,
            key,
            handshake_within_ms: 10_000,
            look_every_ms: 10_000,
        }
    }
}

/// Why a certificate and a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("failed to read {path} for TLS: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate in the file.
    #[error(
        "{path} has no certificate in PEM; `tls_cert` names the chain, its own certificate first"
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// There is no key in the file.
    #[error("{path} has no private key in PEM; `tls_key` names one without a passphrase")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// They do not belong to each other, or are of a kind that is not known.
    #[error("the certificate {cert} cannot be used with the key {key}: {source}")]
    Unfit {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// Accepts connections over TLS with the certificate that is in force.
#[derive(Clone, Debug)]
pub struct Tls {
    handshake_within: Duration,
    in_force: watch::Receiver<Arc<ServerConfig>>,
}

/// Looks after the files.
#[derive(Debug)]
pub(crate) struct TlsKeeper {
    rules: TlsRules,
    /// Of the bytes that were read last, whether they could be used or not.
    seen: Seen,
    in_force: watch::Sender<Arc<ServerConfig>>,
}

type Seen = [u8; 32];

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// They cannot be read or used.
    pub(crate) async fn load(rules: TlsRules) -> Result<(Self, TlsKeeper), TlsError> {
        let (seen, made) = read(&rules).await?;
        let (in_force, receiver) = watch::channel(made?);
        let tls = Self {
            handshake_within: Duration::from_millis(rules.handshake_within_ms),
            in_force: receiver,
        };
        let keeper = TlsKeeper {
            rules,
            seen,
            in_force,
        };
        Ok((tls, keeper))
    }

    /// The handshake.
    ///
    /// # Errors
    /// It took too long, or the client speaks something else: plain HTTP is answered 400.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let handshake = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first[0] != HANDSHAKE_RECORD {
                refuse(stream).await?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "not TLS"));
            }
            let config = Arc::clone(&self.in_force.borrow());
            TlsAcceptor::from(config).accept(stream).await
        };
        timeout(self.handshake_within, handshake).await?
    }
}

async fn refuse(stream: TcpStream) -> io::Result<()> {
    let mut stream = Lingering::new(stream);
    stream.write_all(SPEAKS_TLS).await?;
    stream.shutdown().await
}

impl TlsKeeper {
    /// Reads the files again when they have changed, and when `reload` asks, until `stop`. Files that
    /// cannot be used change nothing but the log.
    pub(crate) async fn keep(mut self, reload: Reload, stop: CancellationToken) {
        let look_every = Duration::from_millis(self.rules.look_every_ms);
        let mut asked = reload.asked();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = asked.next() => {}
                () = sleep(look_every) => {}
            }
            match self.look().await {
                Ok(false) => {}
                Ok(true) => {
                    let cert = self.rules.cert.display();
                    tracing::info!(%cert, "the certificate has changed; new connections get it");
                }
                Err(error) => {
                    let error = error.to_string();
                    tracing::error!(
                        error,
                        "the certificate in force stays: the new one cannot be used"
                    );
                }
            }
        }
    }

    /// Whether another certificate or key is in force now. What cannot be used is told once.
    async fn look(&mut self) -> Result<bool, TlsError> {
        let read = read(&self.rules).await;
        let (seen, made) = match read {
            Ok(read) => read,
            // Told once, and again when it has another fault.
            Err(error) => {
                let seen = Sha256::digest(error.to_string()).into();
                let is_new = std::mem::replace(&mut self.seen, seen) != seen;
                return if is_new { Err(error) } else { Ok(false) };
            }
        };
        if self.seen == seen {
            return Ok(false);
        }
        self.seen = seen;
        self.in_force.send_replace(made?);
        Ok(true)
    }
}

/// What the files hold now, and what it makes.
///
/// # Errors
/// They cannot be read.
async fn read(rules: &TlsRules) -> Result<(Seen, Result<Arc<ServerConfig>, TlsError>), TlsError> {
    let rules = rules.clone();
    let reading = spawn_blocking(move || {
        let cert = read_file(&rules.cert)?;
        let key = read_file(&rules.key)?;
        let mut seen = Sha256::new();
        seen.update(cert.len().to_be_bytes());
        seen.update(&cert);
        seen.update(&key);
        Ok((seen.finalize().into(), make(&rules, &cert, &key)))
    });
    match reading.await {
        Ok(read) => read,
        Err(stopped) => Err(TlsError::Unreadable {
            path: PathBuf::new(),
            source: stopped.into(),
        }),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    read_small(path, FILE_MAX_BYTES).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn make(rules: &TlsRules, cert: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(cert).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| TlsError::NoCertificate {
        path: rules.cert.clone(),
    })?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey {
        path: rules.key.clone(),
    })?;
    let unfit = |source| TlsError::Unfit {
        cert: rules.cert.clone(),
        key: rules.key.clone(),
        source,
    };
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A client that comes back needs no signature of the key: after a cut of the network, all do.
    config.ticketer = ring::Ticketer::new().map_err(unfit)?;
    Ok(Arc::new(config))
}
