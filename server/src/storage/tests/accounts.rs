//! Accounts, sessions and links.

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::harness::{NOW, reopen, start};
use crate::storage::{
    Account, LinkFor, NewSession, SESSIONS_MAX, SecretHash, SessionId, Storage, StoredLink,
    StoredSession,
};

const LATER: Timestamp = Timestamp(NOW.0 + 1_000);
const END: Timestamp = Timestamp(NOW.0 + 60_000);

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

fn person(name: &str, admin: bool) -> Account {
    Account {
        user: user(name),
        name: name.to_uppercase(),
        email: format!("{name}@X.example"),
        email_key: format!("{name}@x.example"),
        password: None,
        admin,
        disabled: false,
        bot: false,
        created: NOW,
    }
}

fn link(secret: u8, purpose: LinkFor) -> StoredLink {
    StoredLink {
        secret: [secret; 32],
        purpose,
        expires: END,
    }
}

/// An account whose password is `hash`.
async fn settle(storage: &Storage, name: &str, admin: bool) -> UserId {
    let user = user(name);
    let secret = name.as_bytes()[0];
    let added = storage.add_account(
        person(name, admin),
        Some(link(secret, LinkFor::Password(user))),
    );
    assert!(added.await.unwrap());
    let set = storage.set_password([secret; 32], "hash".to_owned(), NOW);
    assert!(set.await.unwrap());
    user
}

fn session(user: UserId, number: u64, created: Timestamp) -> NewSession {
    NewSession {
        secret: secret(number),
        session: StoredSession {
            id: SessionId(number | 1 << 63),
            user,
            created,
            used: created,
            expires: END,
            agent: "a browser".to_owned(),
            address: "127.0.0.1".to_owned(),
        },
        password: "hash".to_owned(),
        replaces: None,
    }
}

fn secret(number: u64) -> SecretHash {
    let mut secret = [9; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    secret
}

#[tokio::test]
async fn an_account_is_made_once_for_a_user_and_an_address_and_outlives_a_restart() {
    let (dir, storage) = start().await;
    let ann = user("ann");
    let purpose = LinkFor::Password(ann);
    let add = async |account, secret| {
        let added = storage
            .add_account(account, Some(link(secret, purpose)))
            .await;
        added.unwrap()
    };
    assert!(add(person("ann", false), 1).await);
    assert!(!add(person("ann", true), 2).await, "the same user");
    let other = Account {
        user: user("bob"),
        ..person("ann", false)
    };
    assert!(!add(other, 3).await, "the same address");
    assert_eq!(
        storage.user_of_link(&[2; 32], NOW).await.unwrap(),
        None,
        "an account that is not made has no link"
    );
    storage.close().await.unwrap();
    drop(storage);
    let storage = reopen(dir.path()).await;
    let found = storage.account_of_email("ann@x.example").await.unwrap();
    assert_eq!(found, Some(person("ann", false)));
    assert_eq!(storage.account(user("bob")).await.unwrap(), None);
    let listed = storage.accounts(None, 10).await.unwrap();
    assert_eq!(listed, [person("ann", false)]);
    assert_eq!(storage.accounts(Some(ann), 10).await.unwrap(), []);
}

#[tokio::test]
async fn the_first_administrator_is_made_once_and_by_the_newest_link_only() {
    let (_dir, storage) = start().await;
    for secret in [1, 2] {
        let link = link(secret, LinkFor::FirstStart);
        storage.put_link(link).await.unwrap();
    }
    let first = async |name: &str, secret, now| {
        let account = Account {
            password: Some("hash".to_owned()),
            ..person(name, true)
        };
        let added = storage.add_first_account(account, [secret; 32], now);
        added.await.unwrap()
    };
    assert!(!first("ann", 1, NOW).await, "a newer link was made");
    assert!(!first("ann", 2, END).await, "it has expired");
    assert!(!storage.has_administrator().await.unwrap());
    assert!(first("ann", 2, NOW).await);
    assert!(storage.has_administrator().await.unwrap());
    assert!(!first("eve", 2, NOW).await, "it was used");
    let late = link(3, LinkFor::FirstStart);
    storage.put_link(late).await.unwrap();
    assert!(!first("eve", 3, NOW).await, "there is an administrator");
    assert_eq!(storage.account(user("eve")).await.unwrap(), None);
}

#[tokio::test]
async fn a_link_sets_a_password_once_and_ends_all_sessions() {
    let (_dir, storage) = start().await;
    let ann = settle(&storage, "ann", false).await;
    let bob = settle(&storage, "bob", false).await;
    for (owner, number) in [(ann, 1), (ann, 2), (bob, 3)] {
        let begun = storage.begin_session(session(owner, number, NOW)).await;
        assert!(begun.unwrap());
    }
    let purpose = LinkFor::Password(ann);
    storage.put_link(link(7, purpose)).await.unwrap();
    let set = async |now| {
        let set = storage.set_password([7; 32], "other".to_owned(), now);
        set.await.unwrap()
    };
    assert!(!set(END).await, "it has expired");
    assert_eq!(
        storage.user_of_link(&[7; 32], NOW).await.unwrap(),
        Some(ann)
    );
    assert!(set(NOW).await);
    assert!(!set(NOW).await, "it was used");
    assert_eq!(storage.sessions_of(ann).await.unwrap(), []);
    assert_eq!(storage.sessions_of(bob).await.unwrap().len(), 1);
    let begun = storage.begin_session(session(ann, 4, NOW)).await;
    assert!(!begun.unwrap(), "it was checked by the password before");
}

#[tokio::test]
async fn sessions_end_by_their_owner_by_time_by_number_and_by_rotation() {
    let (_dir, storage) = start().await;
    let ann = settle(&storage, "ann", false).await;
    let bob = settle(&storage, "bob", false).await;
    for number in 0..SESSIONS_MAX as u64 {
        let created = Timestamp(NOW.0 + number);
        let begun = storage.begin_session(session(ann, number, created)).await;
        assert!(begun.unwrap());
    }
    let live = async |number| storage.session(&secret(number), LATER).await.unwrap();
    assert_eq!(live(0).await.unwrap().user, ann);
    let begun = storage.begin_session(session(ann, 100, LATER)).await;
    assert!(begun.unwrap());
    assert_eq!(live(0).await, None, "the oldest made place");
    assert_eq!(storage.sessions_of(ann).await.unwrap().len(), SESSIONS_MAX);

    let rotated = NewSession {
        replaces: Some(secret(100)),
        ..session(ann, 101, LATER)
    };
    assert!(storage.begin_session(rotated).await.unwrap());
    assert_eq!(live(100).await, None, "it was replaced");
    let id = live(101).await.unwrap().id;
    assert!(!storage.end_session(bob, id).await.unwrap());
    assert!(storage.has_session(id).await.unwrap());
    storage.use_session(id, END).await.unwrap();
    assert_eq!(live(101).await.unwrap().used, END);
    assert!(storage.end_session(ann, id).await.unwrap());
    assert!(!storage.has_session(id).await.unwrap());

    assert_eq!(storage.session(&secret(5), END).await.unwrap(), None);
    assert!(storage.forget_ended(END).await.unwrap());
    assert!(!storage.forget_ended(END).await.unwrap());
    assert_eq!(storage.sessions_of(ann).await.unwrap(), []);
}

#[tokio::test]
async fn who_ceases_to_be_an_administrator_is_signed_out_and_the_last_one_stays() {
    let (_dir, storage) = start().await;
    let ann = settle(&storage, "ann", true).await;
    let bob = settle(&storage, "bob", false).await;
    assert!(storage.begin_session(session(ann, 1, NOW)).await.unwrap());
    assert!(storage.begin_session(session(bob, 2, NOW)).await.unwrap());
    assert!(!storage.set_admin(ann, false).await.unwrap());
    assert!(!storage.set_admin(user("eve"), true).await.unwrap());
    assert!(storage.set_admin(bob, true).await.unwrap());
    assert!(storage.account(bob).await.unwrap().unwrap().admin);
    assert_eq!(storage.sessions_of(bob).await.unwrap().len(), 1);
    assert!(storage.set_admin(ann, false).await.unwrap());
    assert!(!storage.account(ann).await.unwrap().unwrap().admin);
    assert_eq!(storage.sessions_of(ann).await.unwrap(), []);
    assert!(!storage.set_disabled(bob, true).await.unwrap());
    assert!(!storage.set_admin(bob, false).await.unwrap());
}

#[tokio::test]
async fn a_disabled_account_has_no_sessions_and_the_last_administrator_stays() {
    let (_dir, storage) = start().await;
    let ann = settle(&storage, "ann", true).await;
    let bob = settle(&storage, "bob", true).await;
    assert!(storage.begin_session(session(ann, 1, NOW)).await.unwrap());
    let purpose = LinkFor::Password(ann);
    storage.put_link(link(7, purpose)).await.unwrap();
    assert!(storage.set_disabled(ann, true).await.unwrap());
    assert_eq!(storage.sessions_of(ann).await.unwrap(), []);
    assert_eq!(storage.user_of_link(&[7; 32], NOW).await.unwrap(), None);
    assert!(!storage.begin_session(session(ann, 2, NOW)).await.unwrap());
    assert_eq!(storage.disabled_users().await.unwrap(), [ann]);
    assert!(!storage.set_disabled(bob, true).await.unwrap());
    assert!(!storage.set_disabled(user("eve"), true).await.unwrap());
    assert!(storage.set_disabled(ann, false).await.unwrap());
    assert!(storage.set_disabled(bob, true).await.unwrap());
    assert!(storage.begin_session(session(ann, 3, NOW)).await.unwrap());
}
