//! Each endpoint of the OpenAPI document: who may use it, with which credentials, from where, and
//! how its body is announced.

use std::collections::BTreeMap;

use boardcast_protocol::board::{Action, Role, Scope, Who};
use boardcast_tests::raw::{Head, exchange};
use boardcast_tests::scene::Scene;
use serde_json::{Value, json};

mod deeds;

use self::deeds::{Endpoint, HOME, deed, endpoints};
use super::page::name;
use super::table::Stage;
use super::text;

/// What is sent.
#[derive(Debug)]
struct Request<'a> {
    method: &'a str,
    path: String,
    headers: Vec<(&'a str, String)>,
    body: String,
}

impl Request<'_> {
    /// Sends it and looks at the head of the answer: a stream has no end.
    async fn send(self, scene: &Scene) -> u16 {
        let address = scene.server.address();
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: {address}\r\n",
            self.method, self.path
        );
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{}", self.body.len(), self.body);
        let (head, _) = exchange(address, &text).await;
        is_guarded(&head, &self.path);
        head.status
    }
}

/// Whatever is answered, browsers are told to run nothing but scripts of the server, and not to
/// guess what it is.
fn is_guarded(head: &Head, path: &str) {
    let policy = head.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
}

fn bearer(token: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {token}"))
}

impl Stage {
    /// What the paths of endpoints name, made anew: each try may change or remove it. Comments are
    /// those of `author`.
    async fn make_things(&mut self, path: &str, author: &str) -> BTreeMap<&'static str, String> {
        self.tries += 1;
        let n = self.tries;
        let owner = self.scene.server.token("owner");
        let mut ids: BTreeMap<_, _> = [
            "column",
            "card",
            "label",
            "checklist",
            "item",
            "comment",
            "attachment",
            "user",
        ]
        .map(|noun| (noun, format!("{noun}{n}")))
        .into();
        ids.insert("board", self.board.as_str().to_owned());
        let id = |noun: &str| ids[noun].as_str();
        let mut commands = Vec::new();
        let has = |noun: &str| path.contains(&format!("{{{noun}}}"));
        let mut needs = |noun: &str, command: Value| {
            if has(noun) || (noun == "card" && has("attachment")) {
                commands.push(command);
            }
        };
        let card = id("card");
        needs(
            "column",
            json!({"type": "column.create", "column": id("column"), "title": "x"}),
        );
        needs(
            "label",
            json!({"type": "label.create", "label": id("label"), "name": format!("l{n}")}),
        );
        needs(
            "user",
            json!({"type": "member.add", "user": id("user"), "role": "viewer"}),
        );
        needs(
            "card",
            json!({"type": "card.create", "card": card, "column": HOME, "title": "x"}),
        );
        let checklist = id("checklist");
        needs(
            "checklist",
            json!({"type": "checklist.create", "card": card, "checklist": checklist, "title": "x"}),
        );
        needs(
            "item",
            json!({
                "type": "item.create", "card": card, "checklist": checklist, "item": id("item"),
                "text": "x",
            }),
        );
        needs(
            "attachment",
            json!({
                "type": "attachment.add", "card": card, "attachment": id("attachment"),
                "name": "x", "url": "https://example.org/",
            }),
        );
        self.commands_of(&owner, commands).await;
        if path.contains("{comment}") {
            let comment = json!({
                "type": "comment.create", "card": card, "comment": id("comment"), "text": "x",
            });
            self.commands_of(author, vec![comment]).await;
        }
        for what in ["invitations", "links"] {
            if path.ends_with(&format!("/{what}/{{id}}")) {
                let all = format!("/api/v1/boards/{}/{what}", self.board);
                let wanted = match what {
                    "links" => json!({}),
                    _ => json!({"role": "viewer"}),
                };
                let made = self.scene.bear("POST", &all, &owner, Some(&wanted)).await;
                ids.insert("id", text(&made, "id"));
            }
        }
        ids
    }

    /// Takes the board out of the bin, if an endpoint has put it there or left it.
    async fn bring_back(&self, endpoint: &Endpoint) {
        if matches!(endpoint.id.as_str(), "delete-board" | "restore-board") {
            let path = format!("/api/v1/bin/{}/restore", self.board);
            let owner = self.scene.server.token("owner");
            self.scene.bear("POST", &path, &owner, None).await;
        }
    }

    async fn commands_of(&self, token: &str, commands: Vec<Value>) {
        if commands.is_empty() {
            return;
        }
        let path = format!("/api/v1/boards/{}/commands", self.board);
        let list = json!({"commands": commands});
        let done = self.scene.bear("POST", &path, token, Some(&list)).await;
        assert_eq!(done.status, 200, "{done:?}");
    }

    /// The request of an endpoint, onto things that are there.
    async fn request<'a>(
        &mut self,
        endpoint: &'a Endpoint,
        author: &str,
        token: Option<&str>,
    ) -> Request<'a> {
        let ids = self.make_things(&endpoint.path, author).await;
        if endpoint.id == "restore-board" {
            let path = format!("/api/v1/boards/{}", self.board);
            let owner = self.scene.server.token("owner");
            let deleted = self.scene.bear("DELETE", &path, &owner, None).await;
            assert_eq!(deleted.status, 204, "{deleted:?}");
        }
        let (_, body) = deed(&endpoint.id).unwrap_or_else(|| panic!("no deed for {endpoint:?}"));
        let body = match (&body, endpoint.id.as_str()) {
            (_, "accept-invitation") => json!({"invitation": self.invitation}).to_string(),
            (Value::Null, _) => String::new(),
            (Value::String(bytes), _) => bytes.clone(),
            (json, _) => json.to_string(),
        };
        let mut request = plain(endpoint, |noun| {
            ids.get(noun).cloned().unwrap_or_else(|| "none".to_owned())
        });
        request.body = body.replace('#', &self.tries.to_string());
        request.headers.extend(token.map(bearer));
        request
    }
}

/// The request of an endpoint, with the ids of its path and without a body.
fn plain(endpoint: &Endpoint, id: impl Fn(&str) -> String) -> Request<'_> {
    let parts = endpoint.path.split('/').map(|part| {
        let noun = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        noun.map_or_else(|| part.to_owned(), &id)
    });
    let mut path = parts.collect::<Vec<_>>().join("/");
    path += match endpoint.id.as_str() {
        "attach-file" => "?name=a.txt",
        "import-board" => "?format=json",
        "search-cards" => "?q=x",
        _ => "",
    };
    let media_type = match (endpoint.takes_json, endpoint.id.as_str()) {
        (true, _) => Some("application/json"),
        (false, "restore" | "attach-file") => Some("application/octet-stream"),
        (false, _) => None,
    };
    let headers = media_type.map(|media_type| ("Content-Type", media_type.to_owned()));
    Request {
        method: &endpoint.method,
        path,
        headers: headers.into_iter().collect(),
        body: String::new(),
    }
}

/// A stage with the column that stays, and its endpoints that need credentials.
async fn set() -> (Stage, Vec<Endpoint>) {
    let stage = Stage::start().await;
    let home = json!({"type": "column.create", "column": HOME, "title": "Home"});
    let owner = stage.scene.server.token("owner");
    stage.commands_of(&owner, vec![home]).await;
    let mut all = endpoints(&stage.scene).await;
    let open: Vec<_> = all.extract_if(.., |endpoint| endpoint.is_open).collect();
    let open: Vec<_> = open.iter().map(|endpoint| endpoint.id.as_str()).collect();
    assert_eq!(open, ["first-start", "set-password", "sign-in"]);
    (stage, all)
}

/// Whether an answer to somebody who may do it is one: on the board everything is there; what else
/// the paths name is not.
fn is_done(endpoint: &Endpoint, action: Action, status: u16) -> bool {
    let has_none = matches!(endpoint.id.as_str(), "read-attachment" | "read-thumbnail");
    if action.is_of_board() && !has_none {
        matches!(status, 200 | 201 | 204)
    } else {
        !matches!(status, 401 | 403)
    }
}

#[tokio::test]
async fn r10_each_endpoint_is_for_those_whom_the_table_names() {
    let (mut stage, all) = set().await;
    let mut tried = 0;
    for endpoint in &all {
        let (action, _) = deed(&endpoint.id).unwrap_or_else(|| panic!("no deed for {endpoint:?}"));
        for who in Who::ALL {
            let token = stage.token(who);
            let is_author = who.may(Action::Comment);
            let author = match &token {
                Some(token) if is_author => token.clone(),
                _ => stage.scene.server.token("owner"),
            };
            let request = stage.request(endpoint, &author, token.as_deref()).await;
            let what = format!("{} by {}: {request:?}", endpoint.id, name(who));
            let status = request.send(&stage.scene).await;
            stage.bring_back(endpoint).await;
            if who.may(action) {
                assert!(is_done(endpoint, action, status), "{status} {what}");
            } else {
                let expected = match who {
                    Who::Nobody => 401,
                    Who::Stranger if action.is_of_board() => 404,
                    _ => 403,
                };
                assert_eq!(status, expected, "{what}");
            }
            tried += 1;
        }
    }
    assert_eq!(tried, all.len() * Who::ALL.len());
}

#[tokio::test]
async fn each_endpoint_keeps_to_the_scope_of_a_token() {
    let (mut stage, all) = set().await;
    let cookie = stage.settle_boss().await;
    let boss = stage.scene.server.token_of_admin("boss");
    for scope in Scope::ALL {
        let token = stage.scene.token_of(&cookie, scope.name(), None).await;
        for endpoint in &all {
            let (mut action, _) = deed(&endpoint.id).expect("a deed");
            // Everybody has a bin, of their own boards; a token sees it that may empty and fill it.
            if endpoint.id == "list-bin" {
                action = Action::Delete;
            }
            let request = stage.request(endpoint, &boss, Some(&token)).await;
            let what = format!("{} by {scope:?}: {request:?}", endpoint.id);
            let status = request.send(&stage.scene).await;
            stage.bring_back(endpoint).await;
            if scope.may(action) {
                assert!(is_done(endpoint, action, status), "{status} {what}");
            } else {
                assert_eq!(status, 403, "{what}");
            }
            if scope == Scope::Read && endpoint.method != "GET" {
                assert_eq!(status, 403, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn each_change_by_a_cookie_needs_the_origin_of_a_page_of_the_server() {
    let (stage, _) = set().await;
    let cookie = stage.settle_boss().await;
    let own = stage.scene.origin();
    let all = endpoints(&stage.scene).await;
    let changes = all.iter().filter(|endpoint| endpoint.method != "GET");
    for endpoint in changes {
        for (origin, is_own) in [
            ("http://evil.example", false),
            ("null", false),
            ("", false),
            (own.as_str(), true),
        ] {
            let mut request = plain(endpoint, |_| "none".to_owned());
            request.headers.push(("Cookie", cookie.clone()));
            if !origin.is_empty() {
                request.headers.push(("Origin", origin.to_owned()));
            }
            let what = format!("{} from {origin:?}", endpoint.id);
            let status = request.send(&stage.scene).await;
            stage.bring_back(endpoint).await;
            // Programs that sign in name no origin. No ticket is made by a cookie.
            let is_taken = is_own || (endpoint.is_open && origin.is_empty());
            let is_refused = !is_taken || endpoint.id == "issue-ticket";
            assert_eq!(status == 403, is_refused, "{what}: {status}");
        }
    }
    assert!(stage.scene.is_live(&cookie).await);
}

#[tokio::test]
async fn each_body_of_json_must_be_announced_as_json() {
    let (stage, _) = set().await;
    stage.settle_boss().await;
    let boss = stage.scene.server.token_of_admin("boss");
    let all = endpoints(&stage.scene).await;
    let taking: Vec<_> = all.iter().filter(|endpoint| endpoint.takes_json).collect();
    assert!(taking.len() > 25, "{}", taking.len());
    for endpoint in taking {
        for media_type in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
        ] {
            let board = stage.board.as_str();
            let mut request = plain(endpoint, |noun| match noun {
                "board" => board.to_owned(),
                _ => "none".to_owned(),
            });
            request.headers = vec![bearer(&boss)];
            let announced = media_type.map(|media_type| ("Content-Type", media_type.to_owned()));
            request.headers.extend(announced);
            request.body = "{}".to_owned();
            let status = request.send(&stage.scene).await;
            stage.bring_back(endpoint).await;
            assert_eq!(status, 415, "{} {media_type:?}", endpoint.id);
        }
    }
}

#[tokio::test]
async fn no_endpoint_takes_a_token_in_its_address() {
    let (mut stage, all) = set().await;
    let root = stage.token(Who::Administrator).expect("a token");
    let admin = stage.token(Who::Member(Role::Admin)).expect("a token");
    for endpoint in &all {
        for name in ["token", "access_token", "jwt", "bearer"] {
            // Neither alone nor beside one that is good: it would be in the logs of proxies.
            for headers in [vec![], vec![bearer(&admin)]] {
                let mut request = plain(endpoint, |_| "none".to_owned());
                let joint = if request.path.contains('?') { '&' } else { '?' };
                request.path += &format!("{joint}{name}={root}");
                request.headers.extend(headers);
                let status = request.send(&stage.scene).await;
                stage.bring_back(endpoint).await;
                assert_eq!(status, 401, "{} {name}", endpoint.id);
            }
        }
    }
}
