//! Tokens by a set of public keys behind a URL.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use boardcast::auth::TokenRules;
use boardcast::reload::Reload;
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::scene::Scene;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::{Signer, answered, claims};

/// What is behind the URL.
struct Issuer {
    url: String,
    /// The whole answer.
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer = Arc::new(Mutex::new(String::new()));
        let asked = Arc::new(AtomicUsize::new(0));
        let mut serving = JoinSet::new();
        let (told, count) = (Arc::clone(&answer), Arc::clone(&asked));
        serving.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let answer = told.lock().expect("an answer").clone();
                count.fetch_add(1, Ordering::SeqCst);
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => request.push(byte),
                        Err(_) => break,
                    }
                }
                // Who goes away in the middle is meant to.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self {
            url: format!("http://{address}/keys"),
            answer,
            asked,
            _serving: serving,
        }
    }

    fn say(&self, answer: String) {
        *self.answer.lock().expect("an answer") = answer;
    }

    /// From now on these are the keys.
    fn have(&self, keys: &[(&str, &Signer)]) {
        let keys: Vec<_> = keys.iter().map(|(kid, signer)| jwk(kid, signer)).collect();
        self.say(ok(&json!({ "keys": keys }).to_string()));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn jwk(kid: &str, signer: &Signer) -> Value {
    let mut jwk = signer.jwk.clone();
    jwk["kid"] = kid.into();
    jwk
}

async fn trusting(issuer: &Issuer, change: impl FnOnce(&mut TokenRules)) -> (Scene, Reload) {
    let mut rules = TokenRules {
        key_set: Some(issuer.url.parse().expect("a URL")),
        audience: Some("boards".to_owned()),
        fetch_every_ms: 3_600_000,
        fetch_again_ms: 3_600_000,
        ..TokenRules::default()
    };
    change(&mut rules);
    let reload = Reload::default();
    let scene = Scene::with(|config| {
        config.tokens = rules;
        config.reload = reload.clone();
    })
    .await;
    (scene, reload)
}

fn token(signer: &Signer, kid: Option<&str>) -> String {
    signer.sign(kid, &claims("ann", &json!({"aud": "boards"})))
}

/// Waits until a token is answered so.
async fn becomes(scene: &Scene, token: &str, status: u16) {
    let waiting = async {
        while answered(scene, token).await.0 != status {
            sleep(PATIENCE / 1_000).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it becomes so");
}

#[tokio::test]
async fn keys_of_the_set_are_chosen_by_name_and_algorithm() {
    let (rsa, ed, other) = (Signer::rsa(), Signer::ed25519(), Signer::ed25519());
    let issuer = Issuer::start().await;
    issuer.have(&[("r", &rsa), ("e", &ed), ("o", &other)]);
    let (scene, _) = trusting(&issuer, |_| {}).await;
    becomes(&scene, &token(&rsa, Some("r")), 200).await;
    for (signer, kid, status) in [
        (&ed, Some("e"), 200),
        (&other, Some("o"), 200),
        // The only key of its kind needs no name.
        (&rsa, None, 200),
        (&ed, None, 401),
        (&ed, Some("o"), 401),
        (&ed, Some("r"), 401),
        (&rsa, Some("e"), 401),
    ] {
        let answered = answered(&scene, &token(signer, kid)).await;
        assert_eq!(answered.0, status, "{kid:?} {}", answered.1);
    }
    let elsewhere = ed.sign(Some("e"), &claims("ann", &json!({"aud": "mail"})));
    assert_eq!(answered(&scene, &elsewhere).await.0, 401);
}

#[tokio::test]
async fn a_name_that_is_not_known_has_the_set_fetched_and_not_again_for_a_while() {
    let (old, new) = (Signer::ed25519(), Signer::ed25519());
    let issuer = Issuer::start().await;
    issuer.have(&[("old", &old)]);
    let (scene, reload) = trusting(&issuer, |rules| rules.fetch_again_ms = 0).await;
    becomes(&scene, &token(&old, Some("old")), 200).await;
    let before = issuer.asked();
    issuer.have(&[("old", &old), ("new", &new)]);
    assert_eq!(
        answered(&scene, &token(&new, Some("new"))).await.0,
        200,
        "at once"
    );
    assert_eq!(issuer.asked(), before + 1);
    for _ in 0..5 {
        assert_eq!(answered(&scene, &token(&new, Some("new"))).await.0, 200);
    }
    assert_eq!(issuer.asked(), before + 1, "it is known");
    // A socket waits for it as well, and a key that is withdrawn ends.
    let newest = Signer::ed25519();
    issuer.have(&[("newest", &newest)]);
    let mut client = TestClient::connect(scene.server.address(), None).await;
    let welcome = client.hello(Some(&token(&newest, Some("newest")))).await;
    assert_eq!(welcome.user.as_str(), "ann");
    assert_eq!(answered(&scene, &token(&old, Some("old"))).await.0, 401);
    reload.ask();

    let (bounded, _) = trusting(&issuer, |_| {}).await;
    becomes(&bounded, &token(&newest, Some("newest")), 200).await;
    let before = issuer.asked();
    for number in 0..50 {
        let kid = format!("no-{number}");
        let (status, hint) = answered(&bounded, &token(&old, Some(&kid))).await;
        assert_eq!(status, 401);
        assert!(hint.contains("a key that is not known"), "{hint}");
    }
    assert!(
        issuer.asked() <= before + 1,
        "a flood of names is no flood of fetches"
    );
}

#[tokio::test]
async fn keys_that_are_known_outlast_an_issuer_that_is_gone_for_a_while() {
    for (keep_ms, status) in [(3_600_000, 200), (0, 401)] {
        let signer = Signer::ed25519();
        let issuer = Issuer::start().await;
        issuer.have(&[("k", &signer)]);
        let (scene, reload) = trusting(&issuer, |rules| rules.keep_ms = keep_ms).await;
        becomes(&scene, &token(&signer, Some("k")), 200).await;
        let before = issuer.asked();
        issuer
            .say("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned());
        reload.ask();
        let asked = async {
            while issuer.asked() == before {
                sleep(PATIENCE / 1_000).await;
            }
        };
        timeout(PATIENCE, asked).await.expect("it is asked again");
        becomes(&scene, &token(&signer, Some("k")), status).await;
        // And come back with it.
        issuer.have(&[("k", &signer)]);
        reload.ask();
        becomes(&scene, &token(&signer, Some("k")), 200).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_no_set_is_none_and_the_server_serves_on() {
    let signer = Signer::ed25519();
    let issuer = Issuer::start().await;
    issuer.have(&[("k", &signer)]);
    let good = issuer.answer.lock().expect("an answer").clone();
    let large = json!({"keys": [jwk("k", &signer)], "x": "x".repeat(80_000)}).to_string();
    let elsewhere = Issuer::start().await;
    elsewhere.have(&[("k", &signer)]);
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        elsewhere.url
    );
    for answer in [
        String::new(),
        "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{".to_owned(),
        ok("{\"keys\": []}"),
        ok("<html></html>"),
        ok(&large),
        redirect,
    ] {
        issuer.say(answer.clone());
        let (scene, reload) = trusting(&issuer, |rules| rules.fetch_again_ms = 0).await;
        let refused = answered(&scene, &token(&signer, Some("k"))).await;
        assert_eq!(refused.0, 401, "{answer}");
        assert_eq!(answered(&scene, &scene.server.token("bob")).await.0, 200);
        issuer.say(good.clone());
        reload.ask();
        becomes(&scene, &token(&signer, Some("k")), 200).await;
    }
    assert_eq!(elsewhere.asked(), 0, "redirects are not followed");
}
