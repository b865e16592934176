//! A server inside the test, on a free port, with its data in a folder of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use boardcast::Server;
use boardcast::clock;
use boardcast::config::Config;
use boardcast_protocol::board::Actor;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::client::TestClient;

/// How long a test waits for anything before it fails: long, because machines are slow at times.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server inside the test.
#[derive(Debug)]
pub struct TestServer {
    dir: TempDir,
    server: Server,
}

impl TestServer {
    /// A server with defaults.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server whose configuration is changed by `change`.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        Self::in_dir(dir, change).await
    }

    async fn in_dir(dir: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::in_dir(dir.path());
        config.connections.limits.per_user = 1_000;
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = Server::start(config, listener)
            .await
            .expect("the server starts");
        Self { dir, server }
    }

    /// Stops the server cleanly and starts another one on the same data, on another port.
    pub async fn restart(self) -> Self {
        let dir = self.stop().await;
        Self::in_dir(dir, |_| {}).await
    }

    /// A server with defaults on data that are there.
    pub async fn over(dir: TempDir) -> Self {
        Self::in_dir(dir, |_| {}).await
    }

    /// The same with a configuration that is changed by `change`.
    pub async fn over_with(dir: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        Self::in_dir(dir, change).await
    }

    /// Stops the server cleanly; its data stay until the folder is dropped.
    pub async fn stop(self) -> TempDir {
        self.server.stop().await.expect("a clean stop");
        self.dir
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The address of a path over HTTP.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Where it keeps everything.
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// The server itself.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// A token of an hour.
    pub fn token(&self, user: &str) -> String {
        self.token_for(user, 3_600_000)
    }

    /// A token of an hour for an administrator of the server.
    pub fn token_of_admin(&self, user: &str) -> String {
        let actor = Actor::new(user.parse().expect("a user id"), true);
        let tokens = self.server.tokens();
        (tokens.sign(actor, clock::now(), 3_600_000)).expect("a signed token")
    }

    /// A token that lasts `ttl_ms`, rounded up to a second.
    pub fn token_for(&self, user: &str, ttl_ms: u64) -> String {
        let actor = Actor::new(user.parse().expect("a user id"), false);
        let tokens = self.server.tokens();
        tokens
            .sign(actor, clock::now(), ttl_ms)
            .expect("a signed token")
    }

    /// A client of `user` that has said hello; each call is another client.
    pub async fn client(&self, user: &str) -> TestClient {
        let mut client = TestClient::connect(self.address(), Some(&self.token(user))).await;
        client.hello(None).await;
        client
    }
}
