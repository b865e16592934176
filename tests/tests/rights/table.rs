//! Each cell of the table of rights, over HTTP and over WebSockets: somebody tries it, and it is done
//! or refused as the table says.

use boardcast_protocol::board::{Action, Role, Scope, Who};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::{ErrorCode, OutcomeResult, ServerMessage};
use boardcast_tests::client::{TestClient, request};
use boardcast_tests::http::Answer;
use boardcast_tests::scene::{PASSWORD, Scene, email, secret};
use serde_json::{Value, json};

use super::page::name;
use super::{add, column, member, send, text};

/// Over what an action is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Http,
    Socket,
}

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Yes,
    Refused,
}

/// A board with a member of each role, and what proves who somebody is.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) board: BoardId,
    link: String,
    pub(super) invitation: String,
    /// Rises with each try: no id is used twice.
    pub(super) tries: u64,
}

const ROLES: [Role; 4] = [Role::Viewer, Role::Commenter, Role::Editor, Role::Admin];

impl Stage {
    pub(super) async fn start() -> Self {
        let scene = Scene::start().await;
        let owner = scene.settle("owner").await;
        let mut client = scene.socket(&owner).await;
        let board = client.create_board("Plan").await;
        for (seq, role) in (1..).zip(ROLES) {
            add(&mut client, board, seq, &role.to_string(), role).await;
        }
        let tell = async |seq, command: Command| {
            let mut client = scene.server.client("owner").await;
            super::tell(&mut client, board, seq, command).await
        };
        tell(1, column(1)).await;
        let card = Command::CardCreate {
            card: "card".parse().expect("an id"),
            title: "Card".to_owned(),
            column: boardcast_protocol::ids::ColumnId::from_u128(1),
            place: boardcast_protocol::command::Place::default(),
            set: Box::default(),
            labels: Vec::new(),
            assignees: Vec::new(),
        };
        let made = tell(1, card).await;
        assert_eq!(made.result, OutcomeResult::Accepted, "{made:?}");
        let make = async |what: &str, body: Value| {
            let path = format!("/api/v1/boards/{board}/{what}");
            let made = send(&scene, ("POST", &path), &owner, &body).await;
            assert_eq!(made.status, 201, "{made:?}");
            made
        };
        let link = text(&make("links", json!({})).await, "link");
        let many = json!({"role": "viewer", "uses": 1_000});
        let invitation = text(&make("invitations", many).await, "invitation");
        Self {
            scene,
            board,
            link,
            invitation,
            tries: 100,
        }
    }

    /// What somebody shows; nothing for nobody. A stranger is another one each time.
    pub(super) fn token(&mut self, who: Who) -> Option<String> {
        self.tries += 1;
        let server = &self.scene.server;
        match who {
            Who::Nobody => None,
            Who::Link => Some(self.link.clone()),
            Who::Stranger => Some(server.token(&format!("stranger{}", self.tries))),
            Who::Member(role) => Some(server.token(&role.to_string())),
            Who::Administrator => Some(server.token_of_admin("root")),
        }
    }

    async fn ask(
        &self,
        token: Option<&str>,
        (method, path): (&str, &str),
        body: Option<&Value>,
    ) -> Answer {
        match token {
            Some(token) => self.scene.bear(method, path, token, body).await,
            None => self.scene.ask(method, path, &[], body).await,
        }
    }

    /// Somebody from whom a scope takes nothing away by chance: an administrator, `boss`, who is
    /// admin of the board. The cookie of a session.
    pub(super) async fn settle_boss(&self) -> String {
        let boss = json!({"user": "boss", "name": "B", "email": email("boss"), "admin": true});
        let added = self.scene.administer("POST", "", Some(&boss)).await;
        let set = json!({"link": secret(&text(&added, "link")), "password": PASSWORD});
        let cookie = self.scene.post("/api/v1/password", &set).await.sent_back();
        let mut owner = self.scene.server.client("owner").await;
        add(&mut owner, self.board, 1, "boss", Role::Admin).await;
        cookie
    }

    /// Tries an action; `None` where there is no such way.
    async fn over(&self, way: Way, action: Action, who: Who, token: Option<&str>) -> Option<Done> {
        match way {
            Way::Http => Some(self.over_http(action, who, token).await),
            Way::Socket => self.over_socket(action, who, token).await,
        }
    }

    /// Tries an action over HTTP.
    async fn over_http(&self, action: Action, who: Who, token: Option<&str>) -> Done {
        let (board, tries) = (self.board, self.tries);
        let of_board = |what: &str| format!("/api/v1/boards/{board}/{what}");
        let file = |id: &str| {
            json!({
                "format": "boardcast.board", "version": 1, "id": id, "title": "Plan",
                "columns": [],
            })
        };
        let (method, path, body) = match action {
            Action::Export => ("GET", of_board("export"), None),
            Action::Import => {
                let path = "/api/v1/import?format=json".to_owned();
                ("POST", path, Some(file(board.as_str())))
            }
            Action::CreateBoard => {
                let path = "/api/v1/boards".to_owned();
                ("POST", path, Some(json!({"title": "New"})))
            }
            Action::Read => ("GET", format!("/api/v1/boards/{board}"), None),
            Action::Comment => {
                let body = json!({"id": format!("h{tries}"), "text": "Hm"});
                ("POST", of_board("cards/card/comments"), Some(body))
            }
            Action::Edit => {
                let body = json!({"id": format!("h{tries}"), "title": "New"});
                ("POST", of_board("columns"), Some(body))
            }
            Action::Administer => {
                let body = json!({"user": format!("h{tries}"), "role": "viewer"});
                ("POST", of_board("members"), Some(body))
            }
            Action::ListBoards => ("GET", "/api/v1/boards".to_owned(), None),
            Action::Invite => {
                let body = json!({"role": "viewer"});
                ("POST", of_board("invitations"), Some(body))
            }
            Action::Share => ("POST", of_board("links"), Some(json!({}))),
            Action::Delete => ("DELETE", format!("/api/v1/boards/{board}"), None),
            Action::AcceptInvitation => {
                let path = "/api/v1/invitations/accept".to_owned();
                ("POST", path, Some(json!({"invitation": self.invitation})))
            }
            Action::OwnAccount => ("GET", "/api/v1/tokens".to_owned(), None),
            Action::AdministerServer => ("GET", "/api/v1/admin/users".to_owned(), None),
        };
        let answer = self.ask(token, (method, &path), body.as_ref());
        let answer = answer.await;
        let expected = match who {
            Who::Nobody => 401,
            Who::Stranger if action.is_of_board() => 404,
            Who::Link | Who::Stranger | Who::Member(_) | Who::Administrator => 403,
        };
        match answer.status {
            204 => {
                self.take_out_of_bin(who, token).await;
                Done::Yes
            }
            200 | 201 => Done::Yes,
            status => {
                assert_eq!(status, expected, "{action:?} by {who:?}: {answer:?}");
                answer.hint();
                Done::Refused
            }
        }
    }

    /// Who may put the board into the bin takes it out again, and others find none there.
    async fn take_out_of_bin(&self, who: Who, token: Option<&str>) {
        let path = format!("/api/v1/bin/{}/restore", self.board);
        for other in ["editor", "stranger"] {
            let token = self.scene.server.token(other);
            let refused = self.scene.bear("POST", &path, &token, None).await;
            let expected = if other == "editor" { 403 } else { 404 };
            assert_eq!(refused.status, expected, "{other}: {refused:?}");
        }
        let taken = self.ask(token, ("POST", &path), None).await;
        assert_eq!(taken.status, 204, "{who:?}: {taken:?}");
    }

    /// Tries an action over a WebSocket; `None` where there is no such message.
    async fn over_socket(&self, action: Action, who: Who, token: Option<&str>) -> Option<Done> {
        let (board, tries) = (self.board, self.tries);
        let message = match action {
            Action::Read => json!({"type": "subscribe", "req": 1, "board": board.as_str()}),
            Action::Comment => {
                let comment = format!("c{tries}");
                self.commands(&json!({
                    "type": "comment.create", "card": "card", "comment": comment, "text": "Hm",
                }))
            }
            Action::Edit => self.commands(&json!(column(u128::from(tries)))),
            Action::Administer => {
                let user = format!("m{tries}");
                self.commands(&json!(member(&user, Role::Viewer)))
            }
            Action::ListBoards => json!({"type": "boards.list", "req": 1}),
            Action::CreateBoard => json!({"type": "board.create", "req": 1, "title": "New"}),
            Action::Export
            | Action::Import
            | Action::Invite
            | Action::Share
            | Action::Delete
            | Action::AcceptInvitation
            | Action::OwnAccount
            | Action::AdministerServer => return None,
        };
        let address = self.scene.server.address();
        let opened = TestClient::open(address, request(address, "/ws")).await;
        let mut client = opened.expect("a WebSocket");
        let client_id = client.client_id();
        let hello = json!({
            "type": "hello", "v": 1, "client": client_id.as_str(), "token": token,
        });
        client.say(&hello).await;
        client.say(&message).await;
        let done = loop {
            match client.next().await {
                ServerMessage::Subscribed(_)
                | ServerMessage::Boards(_)
                | ServerMessage::BoardCreated(_) => break Done::Yes,
                ServerMessage::Outcome(outcome) => {
                    let reason = outcome.reason.map(|reason| format!("{reason:?}"));
                    break match outcome.result {
                        OutcomeResult::Accepted => Done::Yes,
                        _ => {
                            assert_eq!(reason.as_deref(), Some("Forbidden"), "{outcome:?}");
                            Done::Refused
                        }
                    };
                }
                ServerMessage::Error(error) => {
                    let expected = match who {
                        Who::Nobody => ErrorCode::Unauthorized,
                        Who::Link => ErrorCode::Forbidden,
                        Who::Stranger | Who::Member(_) | Who::Administrator => {
                            ErrorCode::NoSuchBoard
                        }
                    };
                    assert_eq!(error.code, expected, "{action:?} by {who:?}: {error:?}");
                    break Done::Refused;
                }
                _ => {}
            }
        };
        Some(done)
    }

    fn commands(&self, command: &Value) -> Value {
        let board = self.board.as_str();
        json!({"type": "submit", "board": board, "seq": 1, "cmds": [command]})
    }
}

#[tokio::test]
async fn r10_each_cell_of_the_table_is_kept_over_http_and_over_sockets() {
    let mut stage = Stage::start().await;
    let mut tried = 0;
    for action in Action::ALL {
        let mut ways = 0;
        for who in Who::ALL {
            let expected = if who.may(action) {
                Done::Yes
            } else {
                Done::Refused
            };
            for way in [Way::Http, Way::Socket] {
                let token = stage.token(who);
                let done = stage.over(way, action, who, token.as_deref()).await;
                let Some(done) = done else { continue };
                assert_eq!(done, expected, "{action:?} by {} over {way:?}", name(who));
                ways += 1;
            }
        }
        assert!(ways >= Who::ALL.len(), "{action:?} was tried in no way");
        tried += ways;
    }
    // 14 actions, of which six are there over both, by 8 kinds of people.
    assert_eq!(tried, 20 * Who::ALL.len());
}

#[tokio::test]
async fn each_scope_of_a_token_is_kept_over_http_and_over_sockets() {
    let mut stage = Stage::start().await;
    let cookie = stage.settle_boss().await;
    let mut tried = 0;
    for scope in Scope::ALL {
        let token = stage.scene.token_of(&cookie, scope.name(), None).await;
        for action in Action::ALL {
            let expected = if scope.may(action) {
                Done::Yes
            } else {
                Done::Refused
            };
            for way in [Way::Http, Way::Socket] {
                stage.tries += 1;
                // Refused as a link is: known, and good for less.
                let done = stage.over(way, action, Who::Link, Some(&token)).await;
                let Some(done) = done else { continue };
                assert_eq!(done, expected, "{action:?} by {scope:?} over {way:?}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 20 * Scope::ALL.len());
}

#[tokio::test]
async fn the_last_admin_neither_leaves_nor_is_demoted_whoever_asks() {
    let scene = Scene::start().await;
    let mut ann = scene.server.client("ann").await;
    let board = ann.create_board("Plan").await;
    let root = scene.server.token_of_admin("root");
    let mut root = scene.bearing(&root).await;
    let leave = || Command::MemberRemove {
        user: "ann".parse().expect("an id"),
    };
    for (client, seq) in [(&mut ann, 1), (&mut root, 1)] {
        for (more, command) in [(0, leave()), (1, member("ann", Role::Editor))] {
            let outcome = super::tell(client, board, seq + more, command).await;
            assert_eq!(outcome.result, OutcomeResult::Rejected, "{outcome:?}");
            let reason = outcome.reason.map(|reason| format!("{reason:?}"));
            assert_eq!(reason.as_deref(), Some("LastAdmin"));
        }
    }
    // Nor over HTTP.
    let path = format!("/api/v1/boards/{board}/members/ann");
    let token = scene.server.token("ann");
    let lesser = json!({"role": "editor"});
    for (method, body) in [("DELETE", None), ("PATCH", Some(&lesser))] {
        let answer = scene.bear(method, &path, &token, body).await;
        assert_eq!(answer.status, 409, "{answer:?}");
        assert!(answer.hint().contains("admin"), "{answer:?}");
    }
    // An invitation of a lesser role takes nothing away.
    let path = format!("/api/v1/boards/{board}/invitations");
    let wanted = json!({"role": "viewer"});
    let made = scene.bear("POST", &path, &token, Some(&wanted)).await;
    let body = json!({"invitation": text(&made, "invitation")});
    let path = "/api/v1/invitations/accept";
    let accepted = scene.bear("POST", path, &token, Some(&body)).await;
    assert_eq!(text(&accepted, "role"), "admin");
    // Another admin makes room.
    add(&mut ann, board, 3, "bob", Role::Admin).await;
    let outcome = super::tell(&mut ann, board, 4, leave()).await;
    assert_eq!(outcome.result, OutcomeResult::Accepted, "{outcome:?}");
}
