//! TLS of the server's own.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod certificate;
mod handshake;
mod serving;

use std::path::Path;

use boardcast::config::Config;
use boardcast::http::tls::TlsRules;
use boardcast_tests::scene::Scene;
use boardcast_tests::tls::Certificate;
use tempfile::TempDir;

/// A server over TLS whose certificate lies in `files`, where it is looked for often.
async fn serving(
    certificate: &Certificate,
    files: &Path,
    change: impl FnOnce(&mut Config),
) -> Scene {
    let (cert, key) = certificate.write(files);
    Scene::with(|config| {
        config.tls = Some(TlsRules {
            look_every_ms: 10,
            ..TlsRules::new(cert, key)
        });
        change(config);
    })
    .await
}

/// A server over TLS with defaults, its certificate, and the folder of that.
async fn start() -> (Scene, Certificate, TempDir) {
    let files = tempfile::tempdir().expect("a folder");
    let certificate = Certificate::make();
    let scene = serving(&certificate, files.path(), |_| {}).await;
    (scene, certificate, files)
}
