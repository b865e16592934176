//! Who may do what over HTTP (SECURITY.md): each role, strangers, ids of other boards, forged fields.

use boardcast_tests::harness::TestServer;
use serde_json::{Value, json};

use super::{User, card};

/// What each role is answered to each write: viewer, commenter, editor, admin.
#[tokio::test]
async fn r10_each_write_needs_its_role() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let done = ann.commands(&board, json!([card("c1"), card("c2")])).await;
    assert_eq!(done.status, 200, "{done:?}");
    let roles = ["viewer", "commenter", "editor", "admin"];
    for role in roles {
        ann.add(&board, role, role).await;
    }
    let writes: [(&str, &str, Value, [u16; 4]); 7] = [
        (
            "POST",
            "cards/c1/comments",
            json!({"text": "x"}),
            [403, 201, 201, 201],
        ),
        ("PATCH", "cards/c1", json!({"due": 5}), [403, 403, 200, 200]),
        (
            "POST",
            "cards",
            json!({"column": "todo", "title": "x"}),
            [403, 403, 201, 201],
        ),
        (
            "POST",
            "columns",
            json!({"title": "x"}),
            [403, 403, 201, 201],
        ),
        ("POST", "labels", json!({"name": "x"}), [403, 403, 201, 201]),
        (
            "POST",
            "cards/c1/checklists",
            json!({"title": "x"}),
            [403, 403, 201, 201],
        ),
        (
            "POST",
            "members",
            json!({"user": "zoe", "role": "viewer"}),
            [403, 403, 403, 201],
        ),
    ];
    for (method, path, body, statuses) in writes {
        for (role, status) in roles.iter().zip(statuses) {
            let path = format!("{board}/{path}");
            let user = User::of(&server, role);
            let answer = user.send(method, &path, &[], Some(&body)).await;
            assert_eq!(answer.status, status, "{role} {method} {path}: {answer:?}");
        }
    }
    let head = json!({"title": "Mine"});
    for (role, status) in roles.iter().zip([403, 403, 403, 200]) {
        let user = User::of(&server, role);
        assert_eq!(user.patch(&board, &head).await.status, status, "{role}");
        for path in [
            "",
            "/cards",
            "/cards/c1",
            "/columns",
            "/labels",
            "/members",
            "/activity",
        ] {
            let read = user.get(&format!("{board}{path}")).await;
            assert_eq!(read.status, 200, "{role} {path}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_board_of_others_answers_as_one_that_does_not_exist() {
    let server = TestServer::start().await;
    let (ann, eve) = (User::of(&server, "ann"), User::of(&server, "eve"));
    let board = ann.board().await;
    let made = ann.commands(&board, json!([card("c1")])).await;
    assert_eq!(made.status, 200);
    let body = json!({"commands": [card("c2")]});
    let paths = [
        ("GET", "", None),
        ("GET", "/columns", None),
        ("GET", "/cards", None),
        ("GET", "/cards/c1", None),
        ("GET", "/cards/c1/comments", None),
        ("GET", "/cards/c1/checklists", None),
        ("GET", "/labels", None),
        ("GET", "/members", None),
        ("GET", "/activity", None),
        ("POST", "/commands", Some(&body)),
        ("DELETE", "/cards/c1", None),
    ];
    for (method, path, body) in paths {
        let theirs = eve.send(method, &format!("{board}{path}"), &[], body).await;
        let nobodys = eve
            .send(method, &format!("/api/v1/boards/none{path}"), &[], body)
            .await;
        assert_eq!(
            (theirs.status, theirs.problem().as_str()),
            (404, "no-such-board")
        );
        assert_eq!(theirs.text(), nobodys.text(), "{method} {path}");
    }
    let boards = eve.get("/api/v1/boards").await.json();
    assert_eq!(boards, json!({"boards": [], "next": null}));
    let mut nobody = eve.clone();
    nobody.token = "none".to_owned();
    assert_eq!(nobody.get(&board).await.problem(), "unauthorized");
    server.stop().await;
}

#[tokio::test]
async fn a_child_of_one_board_is_not_found_under_another() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let (a, b) = (ann.board().await, ann.board().await);
    let list = json!([
        card("c1"),
        {"type": "column.create", "column": "done", "title": "Done"},
        {"type": "label.create", "label": "l1", "name": "Bug"},
        {"type": "comment.create", "card": "c1", "comment": "m1", "text": "x"},
        {"type": "checklist.create", "card": "c1", "checklist": "k1", "title": "x"}
    ]);
    assert_eq!(ann.commands(&b, list).await.status, 200);
    ann.add(&b, "bob", "viewer").await;
    let patch = json!({"title": "x"});
    for (method, path, body) in [
        ("GET", "cards/c1", None),
        ("GET", "cards/c1/comments", None),
        ("GET", "columns/done", None),
        ("PATCH", "cards/c1", Some(&patch)),
        ("PATCH", "columns/done", Some(&patch)),
        ("PATCH", "cards/c1/checklists/k1", Some(&patch)),
        ("DELETE", "cards/c1", None),
        ("DELETE", "columns/done", None),
        ("DELETE", "labels/l1", None),
        ("DELETE", "members/bob", None),
        ("DELETE", "cards/c1/comments/m1", None),
        ("DELETE", "cards/c1/checklists/k1", None),
        ("GET", "cards/..%2f..", None),
    ] {
        let under_a = ann.send(method, &format!("{a}/{path}"), &[], body).await;
        assert_eq!(under_a.status, 404, "{method} {path}: {under_a:?}");
        under_a.problem();
    }
    let card = ann.get(&format!("{b}/cards/c1")).await.json();
    assert_eq!(
        (&card["title"], &card["comments"][0]["id"]),
        (&json!("c1"), &json!("m1"))
    );
    server.stop().await;
}

#[tokio::test]
async fn fields_that_are_not_of_a_thing_are_refused() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    assert_eq!(ann.commands(&board, json!([card("c1")])).await.status, 200);
    for (method, path, body) in [
        (
            "POST",
            "/api/v1/boards".to_owned(),
            json!({"title": "x", "owner_id": "eve"}),
        ),
        ("PATCH", board.clone(), json!({"members": []})),
        (
            "PATCH",
            format!("{board}/cards/c1"),
            json!({"title": "x", "created": {"by": "eve"}}),
        ),
        ("PATCH", format!("{board}/cards/c1"), json!({"number": 7})),
        (
            "POST",
            format!("{board}/members"),
            json!({"user": "eve", "role": "viewer", "is_admin": true}),
        ),
        ("PATCH", format!("{board}/cards/c1"), json!({})),
        (
            "POST",
            format!("{board}/columns"),
            json!({"title": "x", "wip": {"limit": 1, "kind": "soft", "by": "eve"}}),
        ),
        (
            "PATCH",
            format!("{board}/columns/todo"),
            json!({"wip": {"limit": 1, "kind": "soft", "by": null}}),
        ),
        (
            "POST",
            format!("{board}/commands"),
            json!({"commands": [{"type": "card.set", "card": "c1", "set": {"title": "x", "number": null}}]}),
        ),
        (
            "POST",
            format!("{board}/commands"),
            json!({"commands": [{"type": "field.create", "field": "f", "name": "x", "kind": "list", "options": [{"id": "o", "name": "x", "rank": ""}]}]}),
        ),
    ] {
        let answer = ann.send(method, &path, &[], Some(&body)).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "invalid"),
            "{path} {body}"
        );
    }
    let text = [("content-type", "text/plain")];
    let answer = ann.send("POST", "/api/v1/boards", &text, None).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (415, "unsupported-media-type")
    );
    server.stop().await;
}

#[tokio::test]
async fn r10_a_member_who_is_removed_is_answered_404_at_once() {
    let server = TestServer::start().await;
    let (ann, bob) = (User::of(&server, "ann"), User::of(&server, "bob"));
    let board = ann.board().await;
    ann.add(&board, "bob", "editor").await;
    assert_eq!(bob.get(&board).await.status, 200);
    assert_eq!(
        ann.delete(&format!("{board}/members/bob")).await.status,
        200
    );
    assert_eq!(bob.get(&board).await.status, 404);
    let answer = bob.commands(&board, json!([card("c1")])).await;
    assert_eq!(answer.problem(), "no-such-board");
    let last = ann.delete(&format!("{board}/members/ann")).await;
    assert_eq!((last.status, last.problem().as_str()), (409, "last-admin"));
    server.stop().await;
}
