use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use ureq::http::StatusCode as Status;

use boardcast_protocol::board::Actor;

use crate::Server;
use crate::clock;
use crate::config::Config;

struct Home {
    server: Server,
    _dir: tempfile::TempDir,
}

impl Home {
    async fn new(import_max_bytes: u64) -> Self {
        Self::with(|config| config.import_max_bytes = import_max_bytes).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config::in_dir(dir.path());
        change(&mut config);
        let server = Server::start(config, listener).await.unwrap();
        Self { server, _dir: dir }
    }

    fn token(&self, user: &str) -> String {
        let actor = Actor::new(user.parse().unwrap(), false);
        self.server
            .tokens()
            .sign(actor, clock::now(), 60_000)
            .unwrap()
    }

    /// Sends a request; `None` as token sends none.
    async fn ask(
        &self,
        path: &str,
        user: Option<&str>,
        body: Option<(&str, String)>,
    ) -> (Status, Value) {
        let url = format!("http://{}{path}", self.server.address());
        let bearer = user
            .map(|user| format!("Bearer {}", self.token(user)))
            .unwrap_or_default();
        let body = body.map(|(media_type, text)| (media_type.to_owned(), text));
        let answer = tokio::task::spawn_blocking(move || {
            let config = ureq::Agent::config_builder().http_status_as_error(false);
            let agent: ureq::Agent = config.build().into();
            let mut answer = match body {
                Some((media_type, text)) => {
                    let request = agent.post(url).header("Content-Type", media_type);
                    let request = if bearer.is_empty() {
                        request
                    } else {
                        request.header("Authorization", bearer)
                    };
                    request.send(text).unwrap()
                }
                None => agent
                    .get(url)
                    .header("Authorization", bearer)
                    .call()
                    .unwrap(),
            };
            let text = answer.body_mut().read_to_string().unwrap();
            (answer.status(), serde_json::from_str(&text).unwrap())
        });
        answer.await.unwrap()
    }

    async fn import(&self, user: Option<&str>, format: &str, file: &Value) -> (Status, Value) {
        let path = format!("/api/v1/import?format={format}");
        self.ask(&path, user, Some(("application/json", file.to_string())))
            .await
    }
}

impl Home {
    /// An import whose body never comes; what is answered to it in the end.
    async fn stuck(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        let token = self.token("ann");
        let head = format!(
            "POST /api/v1/import?format=trello HTTP/1.1\r\nHost: x\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: 100\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

fn trello() -> Value {
    json!({"id": "5a1532fe1a583c9b3bb5bc8b", "name": "Board", "cards": [],
        "lists": [{"id": "5a1532fe0000000000000001", "name": "Only"}]})
}

#[tokio::test]
async fn a_board_comes_in_and_goes_out_again() {
    let home = Home::new(1_000_000).await;
    let (status, answer) = home.import(Some("ann"), "trello", &trello()).await;
    assert_eq!(
        (status, &answer["outcome"]),
        (Status::CREATED, &json!("created"))
    );
    let (status, answer) = home.import(Some("ann"), "trello", &trello()).await;
    assert_eq!(
        (status, &answer["outcome"]),
        (Status::OK, &json!("unchanged"))
    );

    let path = format!(
        "/api/v1/boards/{}/export",
        answer["board"].as_str().unwrap()
    );
    let (status, mut document) = home.ask(&path, Some("ann"), None).await;
    assert_eq!(
        (status, &document["columns"][0]["title"]),
        (Status::OK, &json!("Only"))
    );
    document["columns"][0]["title"] = json!("Renamed");
    let (status, answer) = home.import(Some("ann"), "json", &document).await;
    assert_eq!(
        (status, &answer["outcome"]),
        (Status::OK, &json!("updated"))
    );

    let (foreign, taken) = home.ask(&path, Some("eve"), None).await;
    let (missing, nothing) = home
        .ask("/api/v1/boards/nosuch/export", Some("eve"), None)
        .await;
    assert_eq!((foreign, taken), (missing, nothing));
    assert_eq!(missing, Status::NOT_FOUND);
    assert_eq!(
        home.import(Some("eve"), "trello", &trello()).await.0,
        Status::NOT_FOUND
    );
}

#[tokio::test]
async fn what_is_no_import_gets_an_exact_answer() {
    let home = Home::new(2_000).await;
    let body = |media_type| Some((media_type, trello().to_string()));
    let json = "application/json";
    let path = "/api/v1/import?format=trello";
    assert_eq!(
        home.ask(path, None, body(json)).await.0,
        Status::UNAUTHORIZED
    );
    let plain = home.ask(path, Some("ann"), body("text/plain")).await;
    assert_eq!(plain.0, Status::UNSUPPORTED_MEDIA_TYPE);
    let unknown = home
        .ask("/api/v1/import?format=csv", Some("ann"), body(json))
        .await;
    assert_eq!(unknown.0, Status::BAD_REQUEST);
    let large = Some((json, " ".repeat(2_001)));
    assert_eq!(
        home.ask(path, Some("ann"), large).await.0,
        Status::PAYLOAD_TOO_LARGE
    );

    let cut = Some((json, trello().to_string()[..40].to_owned()));
    let (status, problem) = home.ask(path, Some("ann"), cut).await;
    assert_eq!(status, Status::UNPROCESSABLE_ENTITY);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("line 1, column 40 (byte 40)"), "{detail}");
    let (status, _) = home.import(Some("ann"), "json", &trello()).await;
    assert_eq!(status, Status::UNPROCESSABLE_ENTITY);
    let boards = home
        .server
        .services()
        .storage
        .boards_of(None, None, None, 10)
        .await;
    assert!(boards.unwrap().is_empty(), "nothing was made");
}

#[tokio::test]
async fn a_member_who_is_no_admin_may_not_import() {
    let home = Home::new(1_000_000).await;
    let (_, answer) = home.import(Some("ann"), "trello", &trello()).await;
    let board = answer["board"].as_str().unwrap();
    let path = format!("/api/v1/boards/{board}/export");
    let (_, mut document) = home.ask(&path, Some("ann"), None).await;
    let bob = json!({"id": "bob", "name": "Bob", "role": "editor"});
    document["members"].as_array_mut().unwrap().push(bob);
    assert_eq!(
        home.import(Some("ann"), "json", &document).await.0,
        Status::OK
    );
    let (status, problem) = home.import(Some("bob"), "trello", &trello()).await;
    assert_eq!(status, Status::FORBIDDEN, "{problem}");
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up_and_its_place_comes_back() {
    let home = Home::with(|config| config.http.body_pause_ms = 50).await;
    for _ in 0..3 {
        let mut stuck = home.stuck().await;
        let mut answer = [0; 12];
        stuck.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
    let (status, _) = home.import(Some("ann"), "trello", &trello()).await;
    assert_eq!(status, Status::CREATED);
}

#[tokio::test]
async fn above_the_bound_of_imports_the_answer_is_503() {
    let home = Home::new(1_000_000).await;
    let stuck = [home.stuck().await, home.stuck().await];
    // Both have their place once a third finds none.
    let status = loop {
        let (status, problem) = home.import(Some("ann"), "trello", &trello()).await;
        if status != Status::CREATED && status != Status::OK {
            assert!(problem["detail"].as_str().unwrap().contains("try again"));
            break status;
        }
    };
    assert_eq!(status, Status::SERVICE_UNAVAILABLE);
    drop(stuck);
    while home.import(Some("ann"), "trello", &trello()).await.0 != Status::OK {
        tokio::task::yield_now().await;
    }
}
