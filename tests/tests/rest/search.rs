//! The search over all boards and the filter of one: what is found, and who finds it.

use std::collections::BTreeSet;

use boardcast_tests::harness::{PATIENCE, TestServer};
use boardcast_tests::scene::Scene;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Answer, User, card};

fn percent(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    text.bytes().map(escape).collect()
}

impl User {
    async fn ask(&self, q: &str, rest: &str) -> Answer {
        self.get(&format!("/api/v1/search?q={}{rest}", percent(q)))
            .await
    }

    async fn hits(&self, q: &str) -> Vec<Value> {
        let answer = self.ask(q, "").await;
        assert_eq!(answer.status, 200, "{q}: {answer:?}");
        answer.json()["hits"].as_array().expect("hits").clone()
    }

    /// The cards that are found, once there are so many: rows are written behind.
    async fn finds(&self, q: &str, count: usize) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let hits = self.hits(q).await;
            if hits.len() == count {
                return hits;
            }
            assert!(began.elapsed() < PATIENCE, "{q}: {hits:?}");
            sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn filtered(&self, board: &str, q: &str) -> Vec<String> {
        let answer = self.get(&format!("{board}/cards?q={}", percent(q))).await;
        assert_eq!(answer.status, 200, "{q}: {answer:?}");
        ids(&answer.json()["cards"], "id")
    }
}

fn ids(things: &Value, name: &str) -> Vec<String> {
    let things = things.as_array().expect("things").iter();
    let id = |thing: &Value| thing[name].as_str().expect("an id").to_owned();
    things.map(id).collect()
}

fn titled(id: &str, title: &str) -> Value {
    json!({"type": "card.create", "card": id, "column": "todo", "title": title})
}

fn set(id: &str, what: &Value) -> Value {
    json!({"type": "card.set", "card": id, "set": what})
}

#[tokio::test]
async fn a_card_is_found_over_all_boards_with_its_place_and_its_words() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let (one, two) = (ann.board().await, ann.board().await);
    let list = json!([
        titled("a", "Quarterly report"),
        titled("b", "Reise nach 北京"),
        set("b", &json!({"description": "Der Report über die Straße liegt bei."})),
        {"type": "label.create", "label": "l1", "name": "area/travel"},
        {"type": "card.label", "card": "b", "label": "l1", "on": true},
    ]);
    assert_eq!(ann.commands(&one, list).await.status, 200);
    let list = json!([
        titled("a", "Lunch"),
        {"type": "comment.create", "card": "a", "comment": "m", "text": "bring the report"},
    ]);
    assert_eq!(ann.commands(&two, list).await.status, 200);

    let hits = ann.finds("report", 3).await;
    assert_eq!(hits[0]["card"], "a");
    assert_eq!(
        hits[0],
        json!({
            "board": one.rsplit('/').next(), "board_title": "Plans", "card": "a", "number": 1,
            "title": "Quarterly report", "column": "todo", "column_title": "To do",
            "archived": false,
            "found": {"field": "title", "text": "Quarterly report", "marks": [[10, 16]]}
        }),
        "a title counts for more"
    );
    let fields: BTreeSet<_> = (hits.iter())
        .map(|hit| hit["found"]["field"].as_str().expect("a field"))
        .collect();
    let expected = BTreeSet::from(["title", "description", "comment"]);
    assert_eq!(fields, expected);
    for (q, count) in [
        ("京", 1),
        ("report strasse", 1),
        ("\"bring the\"", 1),
        ("report -quarterly", 2),
        ("label:travel", 1),
        ("label:travel report", 1),
        ("report column:todo is:open", 3),
        ("board:plans report", 3),
        ("board:other report", 0),
        ("assignee:me", 0),
        ("label:l2", 0),
    ] {
        assert_eq!(ann.hits(q).await.len(), count, "{q}");
    }
    let by_filter = ann.hits("label:travel").await;
    assert_eq!(by_filter[0]["found"], Value::Null);

    // The same from the disk: no board is loaded.
    let server = server.restart().await;
    let ann = User::of(&server, "ann");
    assert_eq!(ann.hits("report").await, hits);
    assert_eq!(server.server().services().rooms.loaded().boards, 0);
    server.stop().await;
}

#[tokio::test]
async fn nobody_finds_a_card_of_a_board_that_is_not_theirs() {
    let scene = Scene::start().await;
    let cookie = scene.settle("ann").await;
    let server = &scene.server;
    let ann = User::of(server, "ann");
    let (plans, other) = (ann.board().await, ann.board().await);
    for board in [&plans, &other] {
        let made = ann.commands(board, json!([titled("k", "needle")])).await;
        assert_eq!(made.status, 200);
    }
    ann.add(&plans, "bob", "viewer").await;
    ann.finds("needle", 2).await;
    let bob = User::of(server, "bob");
    let hits = bob.finds("needle", 1).await;
    assert_eq!(hits[0]["board"], plans.rsplit('/').next().expect("an id"));
    let eve = User::of(server, "eve");
    let admin = User {
        token: server.token_of_admin("root"),
        ..eve.clone()
    };
    for q in ["needle", "is:open", "board:plans", "column:todo"] {
        assert_eq!(eve.hits(q).await.len(), 0, "{q}");
        assert_eq!(admin.hits(q).await.len(), 2, "{q}");
    }

    // A token for other boards, and one that names a board which is not its user's.
    for (boards, count) in [(vec![&plans], 1), (vec![&plans, &other], 2)] {
        let boards: Vec<_> = boards.iter().map(|path| path.rsplit('/').next()).collect();
        let wanted = json!({"name": "ci", "scope": "read", "boards": boards});
        let made = scene.make_token(&cookie, &wanted).await;
        let token = made.json()["token"].as_str().expect("a token").to_owned();
        let program = User {
            token,
            ..ann.clone()
        };
        assert_eq!(program.hits("needle").await.len(), count);
        assert_eq!(program.hits("is:open").await.len(), count);
    }
    let links = format!("{plans}/links");
    let link = ann.post(&links, &json!({})).await;
    let guest = User {
        token: link.json()["link"].as_str().expect("a link").to_owned(),
        ..ann.clone()
    };
    assert_eq!(guest.ask("needle", "").await.status, 403, "a public link");
    let nobody = User {
        token: "none".to_owned(),
        ..ann.clone()
    };
    assert_eq!(nobody.ask("needle", "").await.status, 401);

    // Whoever is removed finds nothing from that moment on, although the index is behind.
    assert_eq!(
        ann.delete(&format!("{plans}/members/bob")).await.status,
        200
    );
    assert_eq!(bob.hits("needle").await.len(), 0);
    assert_eq!(bob.hits("is:open").await.len(), 0);
    // And so after a restart, from the disk.
    let server = scene.server.restart().await;
    let bob = User::of(&server, "bob");
    assert_eq!(bob.hits("needle").await.len(), 0);
    assert_eq!(User::of(&server, "ann").hits("needle").await.len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn what_is_gone_archived_or_changed_is_not_found_from_that_moment_on() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let list = json!([
        titled("a", "needle a"),
        titled("b", "needle b"),
        titled("c", "needle c")
    ]);
    assert_eq!(ann.commands(&board, list).await.status, 200);
    ann.finds("needle", 3).await;
    let list = json!([
        {"type": "card.remove", "card": "a"},
        {"type": "card.archive", "card": "b", "archived": true},
        set("c", &json!({"title": "thread"})),
    ]);
    assert_eq!(ann.commands(&board, list).await.status, 200);
    assert_eq!(ann.hits("needle").await.len(), 0);
    assert_eq!(
        ids(&json!(ann.finds("is:archived needle", 1).await), "card"),
        ["b"]
    );
    assert_eq!(ids(&json!(ann.finds("thread", 1).await), "card"), ["c"]);
    // The column of a card and its board count as well.
    let archived = json!({"archived": true});
    let column = format!("{board}/columns/todo");
    assert_eq!(ann.patch(&column, &archived).await.status, 200);
    assert_eq!(ann.hits("thread").await.len(), 0);
    ann.finds("is:archived thread", 1).await;
    server.stop().await;
}

#[tokio::test]
async fn hits_come_a_page_at_a_time() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let list: Vec<_> = (0..50)
        .map(|n| titled(&format!("c{n:02}"), "the same"))
        .collect();
    assert_eq!(ann.commands(&board, json!(list)).await.status, 200);
    ann.finds("same", 50).await;
    for q in ["same", "is:open"] {
        let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = ann.ask(q, &format!("&limit=7{cursor}")).await.json();
            assert!(page["hits"].as_array().expect("hits").len() <= 7);
            found.extend(ids(&page["hits"], "card"));
            pages += 1;
            let Some(next) = page["next"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        found.sort();
        let all: Vec<_> = (0..50).map(|n| format!("c{n:02}")).collect();
        assert_eq!((found, pages), (all, 8), "{q}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_faulty_query_is_422_and_names_the_place() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    for (q, place) in [
        ("a due:<soon", "at character 7"),
        ("foo \"bar", "at character 5"),
        ("colour:red", "at character 1"),
    ] {
        let cards = format!("{board}/cards?q={}", percent(q));
        for answer in [ann.ask(q, "").await, ann.get(&cards).await] {
            assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"));
            let hint = answer.json()["detail"].as_str().expect("a hint").to_owned();
            assert!(hint.contains(place), "{q}: {hint}");
        }
    }
    for q in ["", "  ", "!!!"] {
        let answer = ann.ask(q, "").await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"));
    }
    assert_eq!(ann.get("/api/v1/search").await.status, 422);
    for rest in ["&limit=0", "&limit=201", "&cursor=x", "&cursor=-1", "&x=1"] {
        assert_eq!(ann.ask("a", rest).await.status, 400, "{rest}");
    }
    // What means something to the index is text like any other.
    for q in [
        "NEAR(a b)",
        "a AND b OR -c",
        "\"a\" * ^b",
        "{title} terms",
        "card_index",
        "'; --",
    ] {
        assert!([200, 422].contains(&ann.ask(q, "").await.status), "{q}");
    }
    assert_eq!(ann.hits("terms card").await.len(), 0);
    server.stop().await;
}

#[tokio::test]
async fn the_filter_of_a_board_is_the_same_language_and_sees_every_change_at_once() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let list = json!([
        card("plain"),
        titled("a", "Quarterly report"),
        titled("b", "Old report"),
        set("a", &json!({"description": "numbers", "due": 1_000, "priority": "high"})),
        {"type": "card.assign", "card": "a", "user": "ann", "on": true},
        {"type": "card.archive", "card": "b", "archived": true},
    ]);
    assert_eq!(ann.commands(&board, list).await.status, 200);
    for (q, cards) in [
        ("report", &["a"][..]),
        ("is:archived", &["b"]),
        ("numbers report", &["a"]),
        ("is:overdue", &["a"]),
        ("assignee:me priority:high due:<2000-01-01", &["a"]),
        ("-report", &["plain"]),
        ("column:\"to do\" board:plans", &["a", "plain"]),
        ("board:other", &[]),
    ] {
        assert_eq!(ann.filtered(&board, q).await, cards, "{q}");
    }
    let page = ann
        .get(&format!("{board}/cards?q=report&column=todo&archived=true"))
        .await;
    assert_eq!(page.json()["cards"], json!([]), "all conditions hold");
    // What depends on who asks, or when, has no tag that says it is still so.
    let path = format!("{board}/cards?q=assignee%3ame");
    let tag = ann.get(&path).await.tag();
    let again = ann
        .send("GET", &path, &[("if-none-match", &tag)], None)
        .await;
    assert_eq!(again.status, 200);
    let path = format!("{board}/cards?q=report");
    let again = ann
        .send("GET", &path, &[("if-none-match", &tag)], None)
        .await;
    assert_eq!(again.status, 304);
    server.stop().await;
}

/// Nobody opens the board: its import alone brings it into the index.
#[tokio::test]
async fn what_was_imported_is_found_and_seen_by_its_members() {
    let server = TestServer::start().await;
    let (ann, bob) = (User::of(&server, "ann"), User::of(&server, "bob"));
    let board = ann.board().await;
    let made = ann.commands(&board, json!([titled("c1", "Needle")]));
    assert_eq!(made.await.status, 200);
    let member = json!({"user": "bob", "role": "viewer"});
    let made = ann.post(&format!("{board}/members"), &member).await;
    assert_eq!(made.status, 201, "{made:?}");
    let mut file = ann.get(&format!("{board}/export")).await.json();
    file["id"] = json!("imported");
    let made = ann.post("/api/v1/import?format=json", &file).await;
    assert_eq!(made.json()["outcome"], "created", "{made:?}");
    // A member by the file finds it too.
    bob.finds("needle", 2).await;
    server.stop().await;
}

#[tokio::test]
async fn a_filter_looks_at_so_much_text_in_one_turn_and_goes_on_with_the_next_page() {
    let server = TestServer::start().await;
    let ann = User::of(&server, "ann");
    let board = ann.board().await;
    let text = "words and more words ".repeat(2_900);
    for n in 0..12 {
        let id = format!("c{n:02}");
        let list = json!([
            titled(&id, "a card"),
            set(&id, &json!({"description": text}))
        ]);
        assert_eq!(ann.commands(&board, list).await.status, 200);
    }
    let list = json!([set("c11", &json!({"description": "needle"}))]);
    assert_eq!(ann.commands(&board, list).await.status, 200);
    let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = ann
            .get(&format!("{board}/cards?q=needle{cursor}"))
            .await
            .json();
        found.extend(ids(&page["cards"], "id"));
        pages += 1;
        let Some(next) = page["next"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(
        (found, pages),
        (vec!["c11".to_owned()], 3),
        "five such texts are 256 KiB"
    );
    server.stop().await;
}
