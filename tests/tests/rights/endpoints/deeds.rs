//! What each endpoint is, as far as rights go, and what it is sent.

use boardcast_protocol::board::Action;
use boardcast_tests::scene::Scene;
use serde_json::{Value, json};

/// A method on a path, as the document has it.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    /// Whether the body must be announced as JSON.
    pub(super) takes_json: bool,
    /// Whether it needs no credentials.
    pub(super) is_open: bool,
}

/// All of the document.
pub(super) async fn endpoints(scene: &Scene) -> Vec<Endpoint> {
    let document = scene
        .ask("GET", "/api/openapi.json", &[], None)
        .await
        .json();
    let paths = document["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods");
        methods.iter().map(|(method, told)| Endpoint {
            id: told["operationId"].as_str().expect("an id").to_owned(),
            method: method.to_uppercase(),
            path: path.clone(),
            takes_json: told["requestBody"]["content"]
                .get("application/json")
                .is_some(),
            is_open: told.get("security").is_none(),
        })
    });
    let all: Vec<_> = all.collect();
    assert!(all.len() > 70, "{} endpoints", all.len());
    all
}

/// The action that an endpoint is, and a body that it takes. `#` is a number that is used once.
pub(super) fn deed(id: &str) -> Option<(Action, Value)> {
    let nothing = || Value::Null;
    let title = || json!({"title": "New"});
    Some(match id {
        "read-board" | "stream-events" | "read-activity" | "list-columns" | "read-column"
        | "list-labels" | "list-members" | "list-cards" | "read-card" | "list-checklists"
        | "list-comments" | "read-attachment" | "read-thumbnail" => (Action::Read, nothing()),
        "export-board" | "export-cards" => (Action::Export, nothing()),
        "create-comment" | "change-comment" => (Action::Comment, json!({"text": "New"})),
        "remove-comment" => (Action::Comment, nothing()),
        "submit-commands" => {
            let command = json!({"type": "column.create", "title": "New"});
            (Action::Edit, json!({"commands": [command]}))
        }
        "create-column" | "change-column" | "change-card" | "create-checklist"
        | "change-checklist" => (Action::Edit, title()),
        "create-card" => (Action::Edit, json!({"column": HOME, "title": "New"})),
        "create-label" => (Action::Edit, json!({"name": "New #"})),
        "change-label" => (Action::Edit, json!({"name": "Newer #"})),
        "create-item" | "change-item" => (Action::Edit, json!({"text": "New"})),
        "change-attachment" => (Action::Edit, json!({"name": "new.txt"})),
        "attach-file" => (Action::Edit, json!("the bytes of a file, #")),
        "remove-column"
        | "remove-card"
        | "remove-label"
        | "remove-checklist"
        | "remove-item"
        | "remove-attachment"
        | "put-card-label"
        | "remove-card-label"
        | "put-card-assignee"
        | "remove-card-assignee" => (Action::Edit, nothing()),
        "change-board" => (Action::Administer, title()),
        "add-member" => (
            Action::Administer,
            json!({"user": "new#", "role": "viewer"}),
        ),
        "change-member" => (Action::Administer, json!({"role": "editor"})),
        "remove-member" => (Action::Administer, nothing()),
        "list-invitations" | "revoke-invitation" => (Action::Invite, nothing()),
        "invite" => (Action::Invite, json!({"role": "viewer"})),
        "list-links" | "revoke-link" => (Action::Share, nothing()),
        "delete-board" | "restore-board" => (Action::Delete, nothing()),
        "share" => (Action::Share, json!({})),
        "list-boards" | "list-bin" | "search-cards" => (Action::ListBoards, nothing()),
        "create-board" => (Action::CreateBoard, title()),
        // A ticket stands for whoever asks, so the least that makes something new.
        "issue-ticket" => (Action::CreateBoard, nothing()),
        // Onto a board that is there, the table itself is tried.
        "import-board" => (Action::CreateBoard, json!({"not": "a board"})),
        "accept-invitation" => (Action::AcceptInvitation, nothing()),
        "list-sessions" | "end-session" | "list-tokens" | "revoke-token" => {
            (Action::OwnAccount, nothing())
        }
        "make-token" => (Action::OwnAccount, json!({"name": "ci", "scope": "read"})),
        "change-password" => (Action::OwnAccount, json!({"old": "x", "new": "short"})),
        "back-up" | "list-connections" | "close-connection" | "read-stats" | "list-users"
        | "reset-user" | "read-audit" | "read-settings" | "list-tokens-of" | "revoke-token-of" => {
            (Action::AdministerServer, nothing())
        }
        "restore" => (Action::AdministerServer, json!("no backup")),
        "add-user" => (
            Action::AdministerServer,
            json!({"name": "New", "email": "new#@example.org"}),
        ),
        "change-user" => (Action::AdministerServer, json!({"disabled": true})),
        "add-bot" => (Action::AdministerServer, json!({"name": "New"})),
        "make-token-of" => (
            Action::AdministerServer,
            json!({"name": "ci", "scope": "read"}),
        ),
        _ => return None,
    })
}

/// A column that stays.
pub(super) const HOME: &str = "home";
