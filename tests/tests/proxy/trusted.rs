//! Proxies that are trusted name who asks; headers of anybody else change nothing.

use boardcast::accounts::AccountRules;
use boardcast::config::{Config, Settings};
use boardcast::http::peer::TrustedProxies;
use boardcast_tests::client::{TestClient, request};
use boardcast_tests::harness::{PATIENCE, TestServer};
use boardcast_tests::raw::{close_code, rest, upgrade};
use boardcast_tests::scene::{PASSWORD, Scene};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";

fn trust(networks: &[&str], config: &mut Config) {
    let networks = networks.iter().map(|network| network.parse());
    let networks: Result<Vec<_>, _> = networks.collect();
    config.http.trusted_proxies = TrustedProxies::new(networks.expect("networks"));
}

/// Networks of proxies, and whether 127.0.0.1, from which the tests ask, is in one of them.
const NETWORKS: [(&[&str], bool); 2] = [
    (&["192.0.2.0/24", "127.0.0.2", "::1"], false),
    (&["192.0.2.0/24", "127.0.0.0/8"], true),
];

/// The addresses of the sign-ins that the audit log has, oldest first, once there are `count`.
async fn signed_in_from(scene: &Scene, count: usize) -> Vec<Value> {
    let root = scene.server.token_of_admin("root");
    let path = "/api/v1/admin/audit?act=sign_in";
    let written = async {
        loop {
            let answer = scene.bear("GET", path, &root, None).await.json();
            let entries = answer["entries"].as_array().expect("entries");
            if entries.len() == count {
                let entries = entries.iter().rev();
                return entries.map(|entry| entry["address"].clone()).collect();
            }
            sleep(PATIENCE / 200).await;
        }
    };
    timeout(PATIENCE, written).await.expect("the entries")
}

#[tokio::test]
async fn attempts_to_sign_in_are_of_who_asks_a_trusted_proxy() {
    for (networks, is_believed) in NETWORKS {
        let scene = Scene::with(|config| {
            trust(networks, config);
            config.accounts = AccountRules {
                sign_ins_per_source: 1,
                sign_in_every_ms: 3_600_000,
                ..AccountRules::default()
            };
        })
        .await;
        let mut statuses = Vec::new();
        for address in ["203.0.113.7", "203.0.113.8", "2001:db8::1", "203.0.113.7"] {
            let guess = scene.sign_in("ann", "guess", &[(FOR, address)]).await;
            statuses.push(guess.status);
        }
        // Who claims to be somebody else before the proxy is not.
        let claimed = [(FOR, "203.0.113.9, 203.0.113.8")];
        statuses.push(scene.sign_in("ann", "guess", &claimed).await.status);
        let expected = if is_believed {
            [401, 401, 401, 429, 429]
        } else {
            [401, 429, 429, 429, 429]
        };
        assert_eq!(statuses, expected, "{networks:?}");
    }
}

#[tokio::test]
async fn the_audit_log_and_sessions_tell_who_asked_a_trusted_proxy() {
    for (networks, is_believed) in NETWORKS {
        let scene = Scene::with(|config| trust(networks, config)).await;
        scene.settle("ann").await;
        let mut cookie = String::new();
        for address in ["203.0.113.7", "2001:db8::1, 127.0.0.1", "not an address"] {
            let answer = scene.sign_in("ann", PASSWORD, &[(FOR, address)]).await;
            assert_eq!(answer.status, 201, "{address}");
            cookie = answer.sent_back();
        }
        let expected = if is_believed {
            ["203.0.113.7", "2001:db8::1", "127.0.0.1"]
        } else {
            ["127.0.0.1"; 3]
        };
        assert_eq!(signed_in_from(&scene, 3).await, expected, "{networks:?}");
        let listed = scene
            .browse("GET", "/api/v1/sessions", &cookie)
            .await
            .json();
        let listed = listed["sessions"].as_array().expect("sessions");
        let mut addresses: Vec<_> = listed
            .iter()
            .filter_map(|s| s["address"].as_str())
            .collect();
        addresses.sort_unstable();
        let mut expected: Vec<_> = expected.into_iter().chain(["127.0.0.1"]).collect();
        expected.sort_unstable();
        assert_eq!(addresses, expected, "{networks:?}");
    }
}

#[tokio::test]
async fn the_cookie_and_the_origin_follow_the_scheme_that_a_trusted_proxy_names() {
    for (networks, is_believed) in NETWORKS {
        let scene = Scene::with(|config| trust(networks, config)).await;
        scene.settle("ann").await;
        let [plain, secure] = ["http", "https"].map(|scheme| {
            let host = scene.server.address();
            format!("{scheme}://{host}")
        });
        let over = [(PROTO, "https"), ("Origin", secure.as_str())];
        let answer = scene.sign_in("ann", PASSWORD, &over).await;
        if !is_believed {
            assert_eq!(
                answer.status, 403,
                "a page over TLS is another: {networks:?}"
            );
            let over = [(PROTO, "https"), ("Origin", plain.as_str())];
            let answer = scene.sign_in("ann", PASSWORD, &over).await;
            let cookie = answer.cookie().expect("a cookie");
            assert!(cookie.starts_with("boardcast="), "{cookie}");
            assert!(!cookie.contains("Secure"), "{cookie}");
            continue;
        }
        let cookie = answer.cookie().expect("a cookie");
        assert!(cookie.starts_with("__Host-boardcast="), "{cookie}");
        assert!(cookie.ends_with("; Secure"), "{cookie}");

        let over_tls = answer.sent_back();
        let without_tls = over_tls.trim_start_matches("__Host-");
        // The one name is read over TLS alone, the other without it alone.
        for (cookie, scheme, status) in [
            (over_tls.as_str(), "https", 200),
            (without_tls, "https", 401),
            (over_tls.as_str(), "http", 401),
            (without_tls, "http", 200),
            (over_tls.as_str(), "https, http", 401),
            (over_tls.as_str(), "wss", 401),
        ] {
            let headers = [("Cookie", cookie), (PROTO, scheme)];
            let listed = scene.ask("GET", "/api/v1/sessions", &headers, None).await;
            assert_eq!(listed.status, status, "{cookie} {scheme}");
        }
        for (scheme, origin, status) in [
            ("https", &secure, 101),
            ("https", &plain, 403),
            ("http", &secure, 403),
            ("http", &plain, 101),
            ("", &plain, 101),
        ] {
            let changes = [(PROTO, scheme), ("Origin", origin), ("Cookie", "a=b")];
            let (head, _) = upgrade(scene.server.address(), "/ws", &changes).await;
            assert_eq!(head.status, status, "{scheme} {origin}");
        }
    }
}

/// Headers by which some proxies say who has signed in with them. Nobody is believed.
#[tokio::test]
async fn headers_that_say_who_somebody_is_change_nothing_even_from_a_trusted_proxy() {
    for (networks, _) in NETWORKS {
        let scene = Scene::with(|config| trust(networks, config)).await;
        scene.settle("ann").await;
        let names = [
            "Remote-User",
            "X-Remote-User",
            "X-Forwarded-User",
            "X-Forwarded-Email",
            "X-Forwarded-Preferred-Username",
            "X-Auth-Request-User",
            "X-Auth-Request-Email",
            "X-WebAuth-User",
            "X-Authenticated-User",
            "Proxy-Authorization",
            "X-Authorization",
        ];
        let token = format!("Bearer {}", scene.server.token("ann"));
        for value in ["ann", "ann@example.org", token.as_str()] {
            for name in names {
                let headers = [(name, value), (FOR, "203.0.113.7"), (PROTO, "https")];
                let answer = scene.ask("GET", "/api/v1/boards", &headers, None).await;
                assert_eq!(answer.status, 401, "{name}: {value} {networks:?}");
            }
            let all = names.map(|name| (name, value));
            let (head, mut socket) = upgrade(scene.server.address(), "/ws", &all).await;
            assert_eq!(head.status, 101);
            // A hello without a token, masked by zeros: it is nobody's.
            let hello = br#"{"type":"hello","v":1,"client":"c"}"#;
            let length = 0x80 | u8::try_from(hello.len()).expect("a short one");
            let frame = [&[0x81, length, 0, 0, 0, 0][..], hello].concat();
            socket.write_all(&frame).await.expect("a write");
            assert_eq!(close_code(&rest(&mut socket).await), Some(4502), "{value}");
        }
    }
}

#[tokio::test]
async fn connections_are_counted_and_shown_by_who_asks_a_trusted_proxy() {
    for (networks, is_believed) in NETWORKS {
        let server = TestServer::with(|config| {
            trust(networks, config);
            config.connections.limits.per_source = 1;
        })
        .await;
        let bearer = format!("Bearer {}", server.token("ann"));
        let mut open = Vec::new();
        let mut statuses = Vec::new();
        for address in ["203.0.113.7:4711", "203.0.113.8", "203.0.113.7"] {
            let changes = [(FOR, address), ("Authorization", bearer.as_str())];
            let (head, socket) = upgrade(server.address(), "/ws", &changes).await;
            statuses.push(head.status);
            open.push(socket);
        }
        let expected = if is_believed {
            [101, 101, 429]
        } else {
            [101, 429, 429]
        };
        assert_eq!(statuses, expected, "{networks:?}");
        let scene = Scene { server };
        let root = scene.server.token_of_admin("root");
        let path = "/api/v1/admin/connections?sort=address";
        let page = scene.bear("GET", path, &root, None).await.json();
        let listed = page["connections"].as_array().expect("connections");
        let addresses: Vec<_> = listed
            .iter()
            .filter_map(|c| c["address"].as_str())
            .collect();
        if is_believed {
            assert_eq!(addresses, ["203.0.113.7:4711", "203.0.113.8:0"]);
        } else {
            assert_eq!(addresses.len(), 1, "{networks:?}");
            assert!(addresses[0].starts_with("127.0.0.1:"), "{addresses:?}");
        }
    }
}

#[tokio::test]
async fn requests_without_credentials_are_counted_by_who_asks_a_trusted_proxy() {
    for (networks, is_believed) in NETWORKS {
        let scene = Scene::with(|config| {
            trust(networks, config);
            config.connections.limits.requests_per_s_per_user = 1;
        })
        .await;
        let ask = async |address: String| {
            let headers = [(FOR, address.as_str())];
            let asked = scene.ask("GET", "/api/v1/boards", &headers, None).await;
            asked.status
        };
        // More than come to fit while they are asked.
        let same = futures::future::join_all((0..40).map(|_| ask("203.0.113.7".to_owned())));
        assert!(same.await.contains(&429), "{networks:?}");
        let others = (0..40).map(|n| ask(format!("198.51.100.{n}")));
        let is_refused = futures::future::join_all(others).await.contains(&429);
        assert_eq!(is_refused, !is_believed, "{networks:?}");
    }
}

#[tokio::test]
async fn a_client_works_behind_a_trusted_proxy_that_sends_wrong_headers() {
    let server = TestServer::with(|config| trust(&["127.0.0.1"], config)).await;
    let mut opening = request(server.address(), "/ws");
    let bearer = format!("Bearer {}", server.token("ann"));
    let long = "x, ".repeat(2_000);
    for (name, value) in [
        (FOR, long.as_str()),
        (PROTO, "gopher"),
        ("Authorization", bearer.as_str()),
    ] {
        let name = name.parse::<tokio_tungstenite::tungstenite::http::HeaderName>();
        let value = value.parse().expect("a value");
        opening.headers_mut().append(name.expect("a name"), value);
    }
    let opened = TestClient::open(server.address(), opening).await;
    let mut client = opened.expect("a WebSocket");
    assert_eq!(client.hello(None).await.user.as_str(), "ann");
    server.stop().await;
}

/// The settings that `boardcast serve` takes: on the command line, and in the file.
#[tokio::test]
async fn the_setting_is_a_list_and_what_is_no_network_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("boardcast.toml");
    std::fs::write(&file, "trusted_proxies = [\"127.0.0.1\"]\n").expect("a file");
    let config = Settings::from_file(&file).and_then(Settings::into_config);
    let proxies = config.expect("the file is right").http.trusted_proxies;
    let scene = Scene::with(|config| config.http.trusted_proxies = proxies).await;
    scene.settle("ann").await;
    let over = [(PROTO, "https")];
    let answer = scene.sign_in("ann", PASSWORD, &over).await;
    assert!(answer.sent_back().starts_with("__Host-"));

    for wrong in ["10.0.0.1/8", "0.0.0.0/0", "proxy.example"] {
        let args = [
            "serve",
            "--trusted-proxies",
            "10.0.0.0/8",
            "--trusted-proxies",
            wrong,
        ];
        let output = boardcast_tests::process::run(&args);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        let said = boardcast_tests::process::stderr(&output);
        let expected =
            format!("`trusted_proxies` is {wrong:?}; it must be an address or a network");
        assert!(said.contains(&expected), "{said}");
    }
}
