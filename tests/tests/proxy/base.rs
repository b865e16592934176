//! A server that is found below a path of its host: proxies hand the path on, or take it away.

use boardcast_tests::raw::upgrade;
use boardcast_tests::scene::{PASSWORD, Scene};
use serde_json::json;

use crate::public_url::opened_at;

const BASE: &str = "/team/boards";
/// What a proxy makes of the path.
const PREFIXES: [&str; 2] = [BASE, ""];

async fn scene(scheme: &str) -> Scene {
    opened_at(&format!("{scheme}://boards.example{BASE}/")).await
}

/// What stands in quotes after `attribute`.
fn named<'a>(text: &'a str, attribute: &str) -> Vec<&'a str> {
    let after = text.split(attribute).skip(1);
    after.filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn pages_name_what_they_need_below_the_path() {
    let scene = scene("https").await;
    let get = async |path: &str| scene.ask("GET", path, &[], None).await;
    for prefix in PREFIXES {
        for page in ["/", "/sign-in", "/first-start", "/password", "/api/"] {
            let document = get(&format!("{prefix}{page}")).await;
            assert_eq!(document.status, 200, "{prefix}{page}");
            let text = document.text();
            let base = format!("{BASE}/");
            assert_eq!(
                named(text, "name=\"boardcast-base\" content=\""),
                [base.as_str()]
            );
            let needed = [named(text, " src=\""), named(text, " href=\"")].concat();
            assert!(needed.len() > 1, "{text}");
            for path in needed {
                assert!(path.starts_with(&base), "{path}");
                assert_eq!(get(path).await.status, 200, "{path}");
            }
        }
    }
    assert_eq!(get(BASE).await.status, 200, "without the slash at its end");
    for path in ["/team/boardsx/", "/team/", "/team/boards/team/boards/"] {
        assert_eq!(get(path).await.status, 404, "{path}");
    }
    let document = get(&format!("{BASE}/api/openapi.json")).await.json();
    assert_eq!(document["servers"], json!([{"url": BASE}]));
    let document = get(&format!("{BASE}/api/asyncapi.json")).await.json();
    for server in ["plain", "tls"] {
        assert_eq!(document["servers"][server]["pathname"], BASE);
    }
}

#[tokio::test]
async fn programs_find_what_they_made_by_what_they_were_told() {
    let scene = scene("https").await;
    let token = scene.server.token("ann");
    for prefix in PREFIXES {
        let path = format!("{prefix}/api/v1/boards");
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: boards.example\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{{\"title\":\"A\"}}"
        );
        let (head, _) = boardcast_tests::raw::exchange(scene.server.address(), &request).await;
        assert_eq!(head.status, 201, "{}", head.text);
        let start = head.text.find("location: ").expect("a place") + "location: ".len();
        let place = head.text[start..].lines().next().expect("a place");
        assert!(
            place.starts_with(&format!("{BASE}/api/v1/boards/")),
            "{place}"
        );
    }
    let listed = scene
        .bear("GET", &format!("{BASE}/api/v1/boards"), &token, None)
        .await;
    let listed = listed.json();
    assert_eq!(
        listed["boards"].as_array().map(Vec::len),
        Some(2),
        "{listed}"
    );
}

#[tokio::test]
async fn people_sign_in_and_connect_below_the_path_with_a_cookie_of_it() {
    for (scheme, name) in [("https", "__Secure-boardcast="), ("http", "boardcast=")] {
        let scene = scene(scheme).await;
        scene.settle("ann").await;
        let origin = format!("{scheme}://boards.example");
        let answer = scene.sign_in("ann", PASSWORD, &[("Origin", &origin)]).await;
        let cookie = answer.cookie().expect("a cookie");
        assert!(cookie.starts_with(name), "{cookie}");
        assert!(cookie.contains(&format!("; Path={BASE}; ")), "{cookie}");
        assert_eq!(cookie.ends_with("; Secure"), scheme == "https", "{cookie}");
        let cookie = answer.sent_back();
        for prefix in PREFIXES {
            let changes = [("Origin", origin.as_str()), ("Cookie", &cookie)];
            let path = format!("{prefix}/ws");
            let (head, _) = upgrade(scene.server.address(), &path, &changes).await;
            assert_eq!(head.status, 101, "{path}");
            let path = format!("{prefix}/api/v1/sessions");
            let listed = scene.ask("GET", &path, &changes, None).await;
            assert_eq!(listed.status, 200, "{path}");
        }
    }
}
