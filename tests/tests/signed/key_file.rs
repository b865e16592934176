//! Tokens by a public key in a file.

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use boardcast::auth::TokenRules;
use boardcast::config::Config;
use boardcast::reload::Reload;
use boardcast::{ServeError, Server};
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::scene::Scene;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::{RSA, RSA_PUBLIC, RSA_SHORT, Signer, answered, claims, now_s};

struct Trusting {
    scene: Scene,
    file: PathBuf,
    reload: Reload,
    _dir: TempDir,
}

/// A server that accepts tokens of this key.
async fn trusting(pem: &str, audience: Option<&str>) -> Trusting {
    let dir = TempDir::new().expect("a folder");
    let file = dir.path().join("public.pem");
    fs::write(&file, pem).expect("a file");
    let reload = Reload::default();
    let scene = Scene::with(|config| {
        config.reload = reload.clone();
        config.tokens = TokenRules {
            key: Some(file.clone()),
            audience: audience.map(str::to_owned),
            look_every_ms: 3_600_000,
            ..TokenRules::default()
        };
    })
    .await;
    Trusting {
        scene,
        file,
        reload,
        _dir: dir,
    }
}

#[tokio::test]
async fn tokens_of_rsa_and_ed25519_are_good_for_requests_and_sockets() {
    for signer in [Signer::rsa(), Signer::ed25519()] {
        let Trusting { scene, .. } = &trusting(&signer.public_pem, None).await;
        for kid in [None, Some("any name")] {
            let token = signer.sign(kid, &claims("ann", &json!({"name": "Ann Lee"})));
            assert_eq!(answered(scene, &token).await.0, 200);
            // On the upgrade, and in `hello`.
            let mut client = TestClient::connect(scene.server.address(), Some(&token)).await;
            assert_eq!(client.hello(None).await.user.as_str(), "ann");
            let mut client = TestClient::connect(scene.server.address(), None).await;
            assert_eq!(client.hello(Some(&token)).await.user.as_str(), "ann");
        }
        let admin = signer.sign(None, &claims("root", &json!({"role": "admin"})));
        let answer = scene.bear("GET", "/api/v1/admin/stats", &admin, None).await;
        assert_eq!(answer.status, 200);
        // Those of the server are as good as before.
        let own = scene.server.token("bob");
        assert_eq!(answered(scene, &own).await.0, 200);
    }
}

#[tokio::test]
async fn claims_and_times_are_checked_as_those_of_the_servers_own_tokens() {
    let signer = Signer::ed25519();
    let Trusting { scene, .. } = &trusting(&signer.public_pem, None).await;
    let now = now_s();
    for (claims, part) in [
        (json!({"sub": "ann", "exp": now - 60}), "expired"),
        (json!({"sub": "ann"}), "exp"),
        (json!({"exp": now + 60}), "sub"),
        (json!({"sub": "a b", "exp": now + 60}), "A-Z a-z"),
        (claims("ann", &json!({"nbf": now + 60})), "in the future"),
        (claims("ann", &json!({"iat": now + 60})), "in the future"),
        (claims("ann", &json!({"role": "root"})), "root"),
        (claims("ann", &json!({"aud": "else"})), "--token-audience"),
        (claims("ann", &json!({"aud": ["else"]})), "--token-audience"),
    ] {
        let (status, hint) = answered(scene, &signer.sign(None, &claims)).await;
        assert_eq!(status, 401, "{claims}");
        assert!(hint.contains(part), "{claims}: {hint}");
    }
    // Of another key.
    let other = Signer::ed25519().sign(None, &claims("ann", &json!({})));
    assert_eq!(answered(scene, &other).await.0, 401);
    // Of another kind of key.
    let other = Signer::rsa().sign(None, &claims("ann", &json!({})));
    let (status, hint) = answered(scene, &other).await;
    assert_eq!(status, 401);
    assert!(hint.contains("a key that is not known"), "{hint}");
}

#[tokio::test]
async fn a_token_is_for_the_audience_that_is_asked_for() {
    let signer = Signer::ed25519();
    let Trusting { scene, .. } = &trusting(&signer.public_pem, Some("boards")).await;
    for (more, status) in [
        (json!({"aud": "boards"}), 200),
        (json!({"aud": ["mail", "boards"]}), 200),
        (json!({"aud": "mail"}), 401),
        (json!({"aud": []}), 401),
        (json!({"aud": "Boards"}), 401),
        (json!({}), 401),
    ] {
        let token = signer.sign(None, &claims("ann", &more));
        assert_eq!(answered(scene, &token).await.0, status, "{more}");
    }
    // What the server signs is for nobody else.
    assert_eq!(answered(scene, &scene.server.token("bob")).await.0, 200);
}

fn encoded(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

#[tokio::test]
async fn a_public_key_signs_nothing_and_a_header_chooses_no_key() {
    let (rsa, ed) = (Signer::rsa(), Signer::ed25519());
    let thief = Signer::ed25519();
    let der = rsa.public_pem.lines().filter(|line| !line.starts_with('-'));
    let der: String = der.collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(der)
        .expect("a key");
    for signer in [&rsa, &ed] {
        let Trusting { scene, .. } = &trusting(&signer.public_pem, None).await;
        let claims = claims("root", &json!({"role": "admin"}));
        let mut forged = Vec::new();
        // With what everybody may know as the secret of HS256.
        for secret in [
            signer.public_pem.as_bytes(),
            signer.public_pem.trim_end().as_bytes(),
            der.as_slice(),
            b"",
        ] {
            for kid in [None, Some("public.pem"), Some("/dev/null")] {
                let mut header = Header::new(Algorithm::HS256);
                header.kid = kid.map(str::to_owned);
                let key = EncodingKey::from_secret(secret);
                forged.push(jsonwebtoken::encode(&header, &claims, &key).expect("a token"));
            }
        }
        let good = signer.sign(None, &claims);
        let signature = good.rsplit('.').next().expect("a signature");
        for alg in [
            "none", "None", "NONE", "HS384", "HS512", "RS384", "RS512", "PS256", "ES256", "eddsa",
            "rs256", "",
        ] {
            for signature in ["", signature] {
                let head = json!({"alg": alg, "typ": "JWT"});
                forged.push(format!("{}.{signature}", encoded(&head, &claims)));
            }
        }
        // With another key, which the header brings along or says where to find.
        let thiefs = json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)});
        for more in [
            json!({"jwk": thiefs}),
            json!({"jku": "http://127.0.0.1:1/keys"}),
            json!({"x5u": "http://127.0.0.1:1/cert"}),
            json!({"x5c": ["AAAA"]}),
            json!({"kid": "../../../../etc/passwd"}),
            json!({"kid": "' OR 1=1 --"}),
            json!({"kid": "k".repeat(2_000)}),
        ] {
            let mut header = Header::new(Algorithm::EdDSA);
            header.kid = more["kid"].as_str().map(str::to_owned);
            let signed = jsonwebtoken::encode(&header, &claims, &thief.key).expect("a token");
            let mut head = json!({"alg": "EdDSA"});
            head.as_object_mut()
                .expect("it")
                .extend(more.as_object().expect("it").clone());
            let signature = signed.rsplit('.').next().expect("a signature");
            forged.push(format!("{}.{signature}", encoded(&head, &claims)));
            forged.push(signed);
        }
        // What a header says has to be understood.
        let head = json!({"alg": "EdDSA", "crit": ["exp"], "exp": 1});
        forged.push(format!("{}.{signature}", encoded(&head, &claims)));
        for token in &forged {
            let (status, hint) = answered(scene, token).await;
            assert_eq!(status, 401, "{token}: {hint}");
        }
        assert_eq!(answered(scene, &good).await.0, 200);
    }
}

#[tokio::test]
async fn another_key_in_the_file_takes_over_and_a_faulty_one_does_not() {
    let (old, new) = (Signer::ed25519(), Signer::ed25519());
    let Trusting {
        scene,
        file,
        reload,
        _dir,
    } = &trusting(&old.public_pem, None).await;
    let of = |signer: &Signer| signer.sign(None, &claims("ann", &json!({})));
    let mut socket = scene.bearing(&of(&old)).await;
    fs::write(file, "-----BEGIN PUBLIC KEY-----\nAAAA\n").expect("a file");
    reload.ask();
    sleep(PATIENCE / 100).await;
    assert_eq!(answered(scene, &of(&old)).await.0, 200);
    socket.create_board("Plans").await;

    fs::write(file, &new.public_pem).expect("a file");
    reload.ask();
    let changed = async {
        while answered(scene, &of(&new)).await.0 != 200 {
            sleep(PATIENCE / 1_000).await;
        }
    };
    timeout(PATIENCE, changed).await.expect("the new key");
    assert_eq!(answered(scene, &of(&old)).await.0, 401);
    assert_eq!(socket.closed().await, Some(4502));
}

#[tokio::test]
async fn a_server_does_not_start_with_a_key_that_cannot_be_used() {
    let files = TempDir::new().expect("a folder");
    for (pem, part) in [
        ("", "no public key of RSA or Ed25519"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "no public key",
        ),
        (RSA, "private key"),
        (RSA_SHORT, "2048 to 8192 bits"),
    ] {
        let file = files.path().join("key.pem");
        fs::write(&file, pem).expect("a file");
        let data = TempDir::new().expect("a folder");
        let mut config = Config::in_dir(data.path());
        config.tokens.key = Some(file);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let refused = Server::start(config, listener).await;
        let error = refused.expect_err("it does not start");
        assert!(matches!(error, ServeError::Key(_)), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(RSA_PUBLIC.contains("PUBLIC KEY"));
}
