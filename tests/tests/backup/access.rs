//! Who may have and replace everything, and what comes of bad uploads.

use boardcast::clock;
use boardcast_protocol::board::Actor;
use boardcast_tests::harness::TestServer;
use boardcast_tests::raw::{exchange, rest};

/// Who asks.
#[derive(Clone, Copy, Debug)]
enum Who {
    Nobody,
    User,
    Admin,
}

fn token(server: &TestServer, who: Who) -> Option<String> {
    let admin = match who {
        Who::Nobody => return None,
        Who::User => false,
        Who::Admin => true,
    };
    let user = "ann".parse().expect("an id");
    let tokens = server.server().tokens();
    let signed = tokens.sign(Actor::new(user, admin), clock::now(), 60_000);
    Some(signed.expect("a token"))
}

/// The status and the time to wait that were answered.
async fn ask(
    server: &TestServer,
    who: Who,
    upload: Option<(&'static str, Vec<u8>)>,
) -> (u16, Option<String>) {
    let token = token(server, who);
    let url = server.url("/api/v1/");
    let asked = tokio::task::spawn_blocking(move || {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent: ureq::Agent = config.build().into();
        let bearer = token.map(|token| format!("Bearer {token}"));
        let answer = match upload {
            None => {
                let mut request = agent.get(url + "backup");
                if let Some(bearer) = bearer {
                    request = request.header("Authorization", bearer);
                }
                request.call()
            }
            Some((media_type, body)) => {
                let mut request = agent.post(url + "restore");
                if let Some(bearer) = bearer {
                    request = request.header("Authorization", bearer);
                }
                request.header("Content-Type", media_type).send(&body[..])
            }
        };
        let mut answer = answer.expect("an answer");
        // A backup that is not read to its end is still under way.
        answer.body_mut().read_to_vec().expect("a body");
        let retry = answer.headers().get("retry-after");
        let retry = retry.map(|value| value.to_str().expect("a header").to_owned());
        (answer.status().as_u16(), retry)
    });
    asked.await.expect("an answer")
}

#[tokio::test]
async fn only_an_admin_of_the_server_gets_or_replaces_everything() {
    let server = TestServer::with(|config| config.restore_max_bytes = 100_000).await;
    let octets = "application/octet-stream";
    for (who, backup, restore) in [
        (Who::Nobody, 401, 401),
        (Who::User, 403, 403),
        // Junk is no backup.
        (Who::Admin, 200, 422),
    ] {
        assert_eq!(ask(&server, who, None).await.0, backup, "{who:?}");
        let junk = Some((octets, b"no database".repeat(100)));
        assert_eq!(ask(&server, who, junk).await.0, restore, "{who:?}");
    }
    for (media_type, bytes, status) in [("text/plain", 10, 415), (octets, 100_001, 413)] {
        let upload = Some((media_type, vec![0; bytes]));
        assert_eq!(ask(&server, Who::Admin, upload).await.0, status);
    }
    let left = std::fs::read_dir(server.data_dir()).expect("the data directory");
    let names = left.map(|entry| entry.expect("an entry").file_name());
    let odd: Vec<_> = names
        .filter(|name| {
            let name = name.to_str().expect("a name");
            name.starts_with("unfinished-") || name.contains(".restored")
        })
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[tokio::test]
async fn one_backup_or_restore_at_a_time() {
    let server = TestServer::start().await;
    let storage = &server.server().services().storage;
    let place = storage.restore_place().expect("nothing else is under way");
    let busy = ask(&server, Who::Admin, None).await;
    assert_eq!(busy, (503, Some("30".to_owned())));
    let upload = Some(("application/octet-stream", vec![0; 10]));
    assert_eq!(ask(&server, Who::Admin, upload).await.0, 503);
    drop(place);
    assert_eq!(ask(&server, Who::Admin, None).await.0, 200);
}

/// Compressed, a backup that breaks off would look like a whole one: its length would not be told.
#[tokio::test]
async fn a_backup_is_not_compressed_for_who_takes_it_so() {
    let server = TestServer::start().await;
    let request = format!(
        "GET /api/v1/backup HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Authorization: Bearer {}\r\nAccept-Encoding: gzip, br, zstd\r\n\r\n",
        server.address(),
        server.token_of_admin("root")
    );
    let (head, mut stream) = exchange(server.address(), &request).await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-encoding"), None);
    let length = head.header("content-length").expect("a length");
    let backup = rest(&mut stream).await;
    assert_eq!(backup.len().to_string(), length);
    assert!(backup.starts_with(b"SQLite format 3"));
    server.stop().await;
}
