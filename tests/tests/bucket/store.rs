//! An S3 server that checks signatures, with a bucket in a folder.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use boardcast::config::Config;
use boardcast::files::{BucketRules, FilesPlace};
use boardcast_tests::tls::Certificate;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

const BUCKET: &str = "plans";
const PREFIX: &str = "boardcast/files";
const KEY_ID: &str = "AKIDBOARDCAST";
const SECRET: &str = "not-a-secret";

/// What the server was asked: method, path with query, and bytes of the body.
type Asked = Arc<Mutex<Vec<(String, String, u64)>>>;

/// A bucket, and the server that has it.
pub(super) struct Store {
    /// The folder of the S3 server, and beside it what a client of it needs.
    folder: TempDir,
    address: SocketAddr,
    certificate: Option<Certificate>,
    running: Mutex<Option<JoinHandle<()>>>,
    asked: Asked,
    is_silent: Arc<AtomicBool>,
}

impl Store {
    /// More bytes than are received before the store has some.
    pub(super) const MUCH_BYTES: usize = 6_000_000;

    pub(super) async fn new() -> Self {
        Self::with(None).await
    }

    /// One that speaks TLS with a certificate that nobody knows.
    pub(super) async fn over_tls() -> Self {
        Self::with(Some(Certificate::make())).await
    }

    async fn with(certificate: Option<Certificate>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("s3").join(BUCKET)).expect("a bucket");
        if let Some(certificate) = &certificate {
            certificate.write(folder.path());
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let store = Self {
            address: listener.local_addr().expect("an address"),
            folder,
            certificate,
            running: Mutex::default(),
            asked: Asked::default(),
            is_silent: Arc::default(),
        };
        store.set_key(KEY_ID, SECRET);
        store.serve(listener);
        store
    }

    /// Writes the key that the servers under test read.
    pub(super) fn set_key(&self, id: &str, secret: &str) {
        let file = self.folder.path().join("key.toml");
        let text = format!("access_key_id = \"{id}\"\nsecret_access_key = \"{secret}\"\n");
        fs::write(&file, text).expect("a key");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a closed file");
    }

    pub(super) fn set_right_key(&self) {
        self.set_key(KEY_ID, SECRET);
    }

    pub(super) fn rules(&self) -> BucketRules {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        let endpoint = format!("{scheme}://{}", self.address);
        let mut rules = BucketRules::new(endpoint, BUCKET);
        rules.prefix = PREFIX.to_owned();
        rules.key = Some(self.folder.path().join("key.toml"));
        if self.certificate.is_some() {
            rules.ca = Some(self.folder.path().join("cert.pem"));
        }
        rules
    }

    pub(super) fn configure(&self, config: &mut Config) {
        config.files = FilesPlace::Bucket(self.rules());
    }

    /// Where the bucket is.
    pub(super) fn bucket(&self) -> PathBuf {
        self.folder.path().join("s3").join(BUCKET)
    }

    pub(super) fn root(&self, _: &Path) -> PathBuf {
        self.bucket().join(PREFIX)
    }

    /// Notes of uploads in the data directory, what the S3 server has of them, and what was put together
    /// and not renamed.
    pub(super) fn incoming(&self, data: &Path) -> usize {
        let count = |dir: &Path, begin: &str| {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            names.filter(|name| name.starts_with(begin)).count()
        };
        count(&data.join("attachments/uploads"), "")
            + count(&self.folder.path().join("s3"), ".upload")
            + count(&self.root(data).join("incoming"), "")
    }

    /// What it was asked since the last time.
    pub(super) fn asked(&self) -> Vec<(String, String, u64)> {
        std::mem::take(&mut *self.asked.lock().expect("a lock"))
    }

    /// Whether requests are read and not answered.
    pub(super) fn set_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::Relaxed);
    }

    /// Ends it and cuts its connections.
    pub(super) async fn stop(&self) {
        let running = self.running.lock().expect("a lock").take();
        let running = running.expect("it runs");
        running.abort();
        let _ = running.await;
    }

    /// Starts it again at the same address.
    pub(super) async fn start(&self) {
        let bound = async {
            loop {
                match TcpListener::bind(self.address).await {
                    Ok(listener) => return listener,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        let bound = tokio::time::timeout(boardcast_tests::harness::PATIENCE, bound).await;
        self.serve(bound.expect("the port is free again"));
    }

    fn serve(&self, listener: TcpListener) {
        let files = s3s_fs::FileSystem::new(self.folder.path().join("s3")).expect("a folder");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = Answering {
            service: service.build(),
            asked: Arc::clone(&self.asked),
            is_silent: Arc::clone(&self.is_silent),
        };
        let tls = self.certificate.as_ref().map(Certificate::acceptor);
        let serving = async move {
            // Connections end with this task.
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                let (service, tls) = (service.clone(), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => service.answer::<TcpStream>(socket).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                service.answer(socket).await;
                            }
                        }
                    }
                });
            }
        };
        let running = tokio::spawn(serving);
        *self.running.lock().expect("a lock") = Some(running);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(running) = self.running.get_mut().ok().and_then(Option::take) {
            running.abort();
        }
    }
}

#[derive(Clone)]
struct Answering {
    service: S3Service,
    asked: Asked,
    is_silent: Arc<AtomicBool>,
}

impl Answering {
    async fn answer<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(self, socket: S) {
        let answer = service_fn(move |request: Request<Incoming>| {
            let length = request.headers().get("content-length");
            let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
            let asked = (
                request.method().to_string(),
                request.uri().to_string(),
                length.unwrap_or_default(),
            );
            self.asked.lock().expect("a lock").push(asked);
            let this = self.clone();
            async move {
                if this.is_silent.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
                Service::call(&this.service, request).await
            }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), answer);
        let _ = connection.await;
    }
}
