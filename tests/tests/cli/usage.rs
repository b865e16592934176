//! Usage, tokens and the start of a server.

use boardcast_tests::client::TestClient;
use boardcast_tests::process::{Serving, run, stderr, stdout};

use super::Scene;

#[tokio::test]
async fn tokens_work_beside_a_server_that_says_where_it_listens() {
    let scene = Scene::new();
    let serving = Serving::start(&scene.path("data"));
    let tokens = scene.token(&["--count", "3", "--ttl", "5m"]);
    let tokens: Vec<_> = tokens.lines().collect();
    assert_eq!(tokens.len(), 3);
    for (index, token) in tokens.iter().enumerate() {
        let mut client = TestClient::connect(serving.address(), Some(token)).await;
        let welcome = client.hello(None).await;
        assert_eq!(welcome.user.to_string(), format!("ann-{}", index + 1));
    }
    let mut health = ureq::get(serving.url("/healthz"))
        .call()
        .expect("an answer");
    assert_eq!(health.status(), 200);
    assert!(health.body_mut().read_to_string().is_ok());
    assert_eq!(serving.terminate(), Some(0));
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_is_missing() {
    for (args, expected) in [
        (&[][..], "Usage: boardcast"),
        (
            &["import", "trello", "f"],
            "say where: `--data-dir DIR`, or `--server URL",
        ),
        (&["import", "trello", "--data-dir", "x"], "<FILE>"),
        (&["import", "notes", "f", "--data-dir", "x"], "notes"),
        (
            &["import", "trello", "f", "--server", "http://x:1"],
            "--token",
        ),
        (
            &["import", "trello", "f", "--server", "x:1", "--token", "t"],
            "is not a server such as http://127.0.0.1:8080",
        ),
        (
            &[
                "import",
                "trello",
                "f",
                "--data-dir",
                "x",
                "--server",
                "http://x:1",
                "--token",
                "t",
            ],
            "cannot be used with",
        ),
        (&["export", "b", "--data-dir", "x"], "--format"),
        (
            &[
                "export",
                "not a board",
                "--format",
                "json",
                "--data-dir",
                "x",
            ],
            "is not a board",
        ),
        (
            &["token", "--data-dir", "x", "--user", "ann", "--count", "0"],
            "--count",
        ),
        (&["link", "--user", "ann"], "--server"),
    ] {
        let output = run(args);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
        assert!(told.contains(expected), "{args:?}: {told}");
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}
