//! Who guesses passwords, and who signs in meanwhile.

use boardcast::accounts::AccountRules;
use boardcast_protocol::command::{Command, Place};

use super::{PASSWORD, Scene};

/// So slow that no attempt comes back while a test runs.
fn slow(per_source: u32, per_account: u32) -> AccountRules {
    AccountRules {
        sign_ins_per_source: per_source,
        sign_ins_per_account: per_account,
        sign_in_every_ms: 3_600_000,
        ..AccountRules::default()
    }
}

#[tokio::test]
async fn a_thousand_guesses_are_ten_and_name_the_time_to_come_back() {
    let scene = Scene::with(|config| config.accounts = slow(100_000, 10)).await;
    scene.settle("ann").await;
    scene.settle("bob").await;
    // As many for an account that there is not: nobody learns whether there is one.
    for (user, guesses) in [("ann", 1_000), ("nobody", 100)] {
        let mut refused = 0;
        for _ in 0..guesses {
            let answer = scene.sign_in(user, "guess", &[]).await;
            if answer.status == 429 {
                refused += 1;
                let after: u32 = answer
                    .retry_after()
                    .unwrap_or_default()
                    .parse()
                    .expect("seconds");
                assert!((1..=3_600).contains(&after), "{after}");
            } else {
                assert_eq!(answer.status, 401, "{answer:?}");
            }
        }
        assert_eq!(refused, guesses - 10, "{user}");
    }
    let right = scene.sign_in("ANN", PASSWORD, &[]).await;
    assert_eq!(
        right.status, 429,
        "the password makes no difference, nor does case"
    );
    assert_eq!(scene.sign_in("bob", PASSWORD, &[]).await.status, 201);
}

#[tokio::test]
async fn an_address_that_guesses_for_many_accounts_is_held_back() {
    let scene = Scene::with(|config| config.accounts = slow(1, 10)).await;
    scene.settle("ann").await;
    assert_eq!(scene.sign_in("a", "guess", &[]).await.status, 401);
    let answer = scene.sign_in("b", "guess", &[]).await;
    assert_eq!(answer.status, 429);
    assert!(answer.hint().contains("from this address"), "{answer:?}");
    assert!(answer.retry_after().is_some());
    let claimed = [("X-Forwarded-For", "10.0.0.9")];
    let answer = scene.sign_in("c", "guess", &claimed).await;
    assert_eq!(
        answer.status, 429,
        "what a peer claims to be is not believed"
    );
}

#[tokio::test]
async fn all_that_is_wrong_is_answered_alike_after_one_hashing_each() {
    let scene = Scene::start().await;
    scene.settle("ann").await;
    scene.settle("gone").await;
    let body = serde_json::json!({"disabled": true});
    let done = scene.administer("PATCH", "/gone", Some(&body)).await;
    assert_eq!(done.status, 204);
    let person = serde_json::json!({"user": "new", "name": "New", "email": super::email("new")});
    let added = scene.administer("POST", "", Some(&person)).await;
    assert_eq!(added.status, 201);

    let hashed = || scene.server.server().accounts().passwords().hashed();
    let mut answers = Vec::new();
    for (user, password) in [
        ("nobody", PASSWORD),
        ("ann", "wrong"),
        ("ann", ""),
        ("gone", PASSWORD),
        ("new", ""),
    ] {
        let before = hashed();
        let answer = scene.sign_in(user, password, &[]).await;
        assert_eq!(answer.status, 401, "{user}");
        assert!(answer.cookie().is_none());
        assert_eq!(hashed() - before, 1, "{user}");
        answers.push(answer.text().to_owned());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn two_hundred_sign_ins_at_once_wait_in_line_or_come_back_and_boards_go_on() {
    let scene = Scene::with(|config| config.accounts = slow(100_000, 100_000)).await;
    scene.settle("ann").await;
    let mut bob = scene.server.client("bob").await;
    let board = bob.create_board("Calm").await;
    bob.subscribe(board, None).await;
    let before = scene.server.server().accounts().passwords().hashed();
    let guesses = futures::future::join_all((0..200).map(|_| scene.sign_in("ann", "guess", &[])));
    let work = async {
        for n in 1..=20 {
            let column = Command::ColumnCreate {
                column: format!("c{n}").parse().expect("an id"),
                title: "More".to_owned(),
                wip: None,
                done: false,
                place: Place::default(),
            };
            bob.submit(board, n, vec![column]).await;
            bob.durable(board, n).await;
        }
    };
    let (answers, ()) = tokio::join!(guesses, work);
    let count = |status| answers.iter().filter(|a| a.status == status).count();
    assert_eq!(count(401) + count(503), 200);
    assert!(count(401) > 0);
    let hashed = scene.server.server().accounts().passwords().hashed() - before;
    assert_eq!(hashed, count(401) as u64, "who is refused costs no hashing");
    for answer in answers.iter().filter(|answer| answer.status == 503) {
        assert_eq!(answer.retry_after(), Some("5"));
    }
}
