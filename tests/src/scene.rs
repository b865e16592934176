//! A server as people, browsers and programs see it: over HTTP with cookies and tokens, and over
//! WebSockets.

use boardcast::clock;
use boardcast::config::Config;
use boardcast_protocol::board::Actor;
use boardcast_protocol::ids::BoardId;
use serde_json::{Value, json};
use ureq::tls::TlsConfig;

use crate::client::{TestClient, request};
use crate::harness::TestServer;

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery";

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Set-Cookie`.
    pub cookie: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// `Content-Type`.
    pub media_type: String,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body.
    ///
    /// # Panics
    /// It is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// What a problem says that would be right.
    pub fn hint(&self) -> String {
        assert_eq!(self.media_type, "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        problem["detail"].as_str().expect("a hint").to_owned()
    }

    /// The cookie as a browser sends it back.
    pub fn sent_back(&self) -> String {
        let cookie = self.cookie.as_deref().expect("a cookie");
        cookie.split(';').next().expect("a value").to_owned()
    }
}

/// Sends a request with these headers and, if there is one, this body as JSON.
pub async fn ask(
    url: &str,
    method: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Answer {
    ask_over(TlsConfig::default(), url, method, headers, body).await
}

/// The same with these rules of TLS.
pub async fn ask_over(
    tls: TlsConfig,
    url: &str,
    method: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Answer {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let has_type = headers.iter().any(|(name, _)| *name == "Content-Type");
    if body.is_some() && !has_type {
        request = request.header("Content-Type", "application/json");
    }
    let body = body.map_or_else(String::new, Value::to_string);
    let request = request.body(body).expect("a request");
    let asked = tokio::task::spawn_blocking(move || {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .tls_config(tls)
            .allow_non_standard_methods(true);
        let agent: ureq::Agent = config.build().into();
        let mut answer = agent.run(request).expect("an answer");
        let header = |name| {
            let value = answer.headers().get(name);
            value.map(|value| value.to_str().expect("a header").to_owned())
        };
        Answer {
            status: answer.status().as_u16(),
            cookie: header("set-cookie"),
            retry_after: header("retry-after"),
            media_type: header("content-type").unwrap_or_default(),
            text: answer.body_mut().read_to_string().expect("a body"),
        }
    });
    asked.await.expect("an answer")
}

/// A server, and what is asked of it as people and programs do.
#[derive(Debug)]
pub struct Scene {
    /// The server.
    pub server: TestServer,
}

impl Scene {
    /// A server with defaults.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server whose configuration is changed by `change`.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let server = TestServer::with(change).await;
        Self { server }
    }

    /// Asks with these headers and, if there is one, this body as JSON.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        ask(&self.server.url(path), method, headers, body).await
    }

    /// Posts JSON without credentials.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[], Some(body)).await
    }

    /// The origin of the server's own pages.
    pub fn origin(&self) -> String {
        self.server.url("")
    }

    /// Asks as a page of the server does in a browser that has this cookie.
    pub async fn browse(&self, method: &str, path: &str, cookie: &str) -> Answer {
        let headers = [("Cookie", cookie), ("Origin", &self.origin())];
        self.ask(method, path, &headers, None).await
    }

    /// The secret of the link of the first start.
    pub fn first_link(&self) -> String {
        let link = self.server.server().first_start().expect("a link");
        secret(&link.path())
    }

    /// Asks with the token of an administrator.
    pub async fn administer(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let actor = Actor::new("root".parse().expect("an id"), true);
        let tokens = self.server.server().tokens();
        let token = tokens.sign(actor, clock::now(), 60_000).expect("a token");
        let bearer = format!("Bearer {token}");
        let path = format!("/api/v1/admin/users{path}");
        let headers = [("Authorization", bearer.as_str())];
        self.ask(method, &path, &headers, body).await
    }

    /// A person with a password. The cookie of the session that setting it began.
    pub async fn settle(&self, user: &str) -> String {
        let person = json!({"user": user, "name": user, "email": email(user)});
        let added = self.administer("POST", "", Some(&person)).await;
        assert_eq!(added.status, 201, "{added:?}");
        let link = secret(added.json()["link"].as_str().expect("a link"));
        let set = json!({"link": link, "password": PASSWORD});
        let answer = self.post("/api/v1/password", &set).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.sent_back()
    }

    /// Signs in.
    pub async fn sign_in(&self, user: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
        let body = json!({"email": email(user), "password": password});
        let path = "/api/v1/sessions";
        self.ask("POST", path, headers, Some(&body)).await
    }

    /// Whether a cookie still says who somebody is.
    pub async fn is_live(&self, cookie: &str) -> bool {
        let answer = self.browse("GET", "/api/v1/sessions", cookie).await;
        assert!(matches!(answer.status, 200 | 401), "{answer:?}");
        answer.status == 200
    }

    /// Makes a token of somebody who is signed in.
    pub async fn make_token(&self, cookie: &str, wanted: &Value) -> Answer {
        let headers = [("Cookie", cookie), ("Origin", &self.origin())];
        self.ask("POST", "/api/v1/tokens", &headers, Some(wanted))
            .await
    }

    /// The text of a new token of somebody who is signed in.
    pub async fn token_of(&self, cookie: &str, scope: &str, boards: Option<&[BoardId]>) -> String {
        let wanted = json!({"name": "ci", "scope": scope, "boards": boards});
        let made = self.make_token(cookie, &wanted).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["token"].as_str().expect("a token").to_owned()
    }

    /// Asks with a token in the header.
    pub async fn bear(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str())];
        self.ask(method, path, &headers, body).await
    }

    /// A socket whose upgrade bore a token.
    pub async fn bearing(&self, token: &str) -> TestClient {
        let mut client = TestClient::connect(self.server.address(), Some(token)).await;
        client.hello(None).await;
        client
    }

    /// A WebSocket of a page of the server, in a browser that has this cookie; it has said hello.
    pub async fn socket(&self, cookie: &str) -> TestClient {
        let mut opening = request(self.server.address(), "/ws");
        let headers = opening.headers_mut();
        headers.insert("Cookie", cookie.parse().expect("a header"));
        headers.insert("Origin", self.origin().parse().expect("a header"));
        let opened = TestClient::open(self.server.address(), opening).await;
        let mut client = opened.expect("a WebSocket");
        client.hello(None).await;
        client
    }
}

/// The address of a user.
pub fn email(user: &str) -> String {
    format!("{user}@example.org")
}

/// What a link holds in its fragment.
pub fn secret(link: &str) -> String {
    let (_, secret) = link.split_once("#link=").expect("a link with a fragment");
    secret.to_owned()
}
