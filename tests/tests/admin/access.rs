//! Who may see and do what.

use boardcast_tests::harness::TestServer;

use super::{admin, ask};

/// What there is, and the method that is right.
const ENDPOINTS: [(&str, &str); 5] = [
    ("GET", "/api/v1/admin/connections"),
    ("GET", "/api/v1/admin/settings"),
    ("GET", "/api/v1/admin/stats"),
    ("DELETE", "/api/v1/admin/connections/999"),
    ("GET", "/metrics"),
];

#[tokio::test]
async fn only_an_admin_of_the_server_is_answered() {
    let server = TestServer::start().await;
    let user = format!("Bearer {}", server.token("ann"));
    let admin = format!("Bearer {}", admin(&server));
    for (method, path) in ENDPOINTS {
        // What asks on the machine itself needs no token for metrics: here it comes by a proxy.
        let proxied = ("X-Forwarded-For", "10.0.0.7");
        let nobody = ask(&server, method, path, &[proxied]).await;
        assert_eq!(nobody.status, 401, "{path}");
        assert!(nobody.hint().contains("Authorization: Bearer TOKEN"));

        let member = ask(&server, method, path, &[("Authorization", &user)]).await;
        assert_eq!(member.status, 403, "{path}");
        assert!(member.hint().contains("--role admin"), "{member:?}");

        for wrong in ["Bearer x", "Basic eDp5", "Bearer"] {
            let answer = ask(&server, method, path, &[("Authorization", wrong)]).await;
            assert_eq!(answer.status, 401, "{path} {wrong}");
        }
        let in_query = format!("{path}?token={}", &admin["Bearer ".len()..]);
        let answer = ask(&server, method, &in_query, &[]).await;
        assert_eq!(answer.status, 401, "{path}");

        let answer = ask(&server, method, path, &[("Authorization", &admin), proxied]).await;
        let expected = if method == "DELETE" { 404 } else { 200 };
        assert_eq!(answer.status, expected, "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_right() {
    let server = TestServer::start().await;
    let admin = format!("Bearer {}", admin(&server));
    for (right, path) in ENDPOINTS {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if method == right {
                continue;
            }
            let answer = ask(&server, method, path, &[("Authorization", &admin)]).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(answer.hint().contains("Allow"));
            let allow = answer.header("allow").expect("Allow");
            assert!(allow.split(',').any(|allowed| allowed == right), "{allow}");
        }
    }
}

#[tokio::test]
async fn metrics_need_no_token_on_the_machine_itself_only() {
    let server = TestServer::start().await;
    let status =
        async |headers: &[(&str, &str)]| ask(&server, "GET", "/metrics", headers).await.status;
    assert_eq!(status(&[]).await, 200);
    assert_eq!(status(&[("Host", "localhost:8080")]).await, 200);
    assert_eq!(status(&[("Host", "boards.example")]).await, 401);
    assert_eq!(status(&[("Via", "1.1 proxy")]).await, 401);
    // Whoever says who it is, is judged by that.
    let user = format!("Bearer {}", server.token("ann"));
    assert_eq!(status(&[("Authorization", &user)]).await, 403);
    for path in ["/api/v1/admin/connections", "/api/v1/admin/stats"] {
        assert_eq!(ask(&server, "GET", path, &[]).await.status, 401, "{path}");
    }
}
