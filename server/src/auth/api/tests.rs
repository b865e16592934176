use tempfile::TempDir;

use boardcast_protocol::board::Scope;
use boardcast_protocol::ids::UserId;

use super::*;
use crate::storage::{Account, SessionId, StorageOptions, StoredToken};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const END: Timestamp = Timestamp(NOW.0 + 3_600_000);

fn user() -> UserId {
    "robot".parse().unwrap()
}

fn text(number: u64) -> String {
    format!("{TOKEN_PREFIX}{number:043}")
}

async fn make(storage: &Storage, number: u64) {
    let token = StoredToken {
        id: TokenId(number),
        user: user(),
        name: "ci".to_owned(),
        scope: Scope::Write,
        boards: None,
        created: NOW,
        expires: END,
        used: None,
    };
    let hash = token_hash(&text(number)).unwrap();
    assert!(storage.make_token(token, hash).await.unwrap());
}

async fn start() -> (TempDir, Storage, ApiTokens) {
    let dir = TempDir::new().unwrap();
    let storage = Storage::open(StorageOptions::new(dir.path()))
        .await
        .unwrap();
    let bot = Account::bot(user(), "Robot".to_owned(), false, NOW);
    assert!(storage.add_account(bot, None).await.unwrap());
    make(&storage, 1).await;
    let tokens = ApiTokens::new(storage.clone());
    (dir, storage, tokens)
}

fn counts(tokens: &ApiTokens) -> (u64, u64) {
    (tokens.hits.get(), tokens.misses.get())
}

#[tokio::test]
async fn a_token_is_read_once_and_revoked_at_once() {
    let (_dir, storage, tokens) = start().await;
    for _ in 0..5 {
        let identity = tokens.identify(&text(1), NOW).await.unwrap();
        assert_eq!((identity.actor.user, &*identity.name), (user(), "Robot"));
        assert_eq!(identity.proof, Proof::Token(TokenId(1)));
        assert_eq!(identity.expires, END);
    }
    assert_eq!(counts(&tokens), (4, 1));
    assert!(storage.revoke_token(user(), TokenId(1)).await.unwrap());
    tokens.forget(user());
    let revoked = tokens.identify(&text(1), NOW).await;
    assert!(matches!(revoked, Err(ApiTokenError::NotValid)));
    assert_eq!(tokens.known_count(), 0);
}

#[tokio::test]
async fn what_has_another_form_is_not_looked_up_and_what_has_ended_is_not_valid() {
    let (_dir, _storage, tokens) = start().await;
    let long = text(1) + "0";
    for odd in ["", "bct_", "bct_short", &long, &text(1).replace('0', "=")] {
        assert!(tokens.identify(odd, NOW).await.is_err(), "{odd}");
    }
    assert_eq!(counts(&tokens), (0, 0));
    assert!(tokens.identify(&text(1), END).await.is_err());
    assert!(tokens.identify(&text(1), NOW).await.is_ok());
    assert!(tokens.identify(&text(1), END).await.is_err(), "it is known");
    assert!(tokens.identify(&text(2), NOW).await.is_err());
    assert_eq!(counts(&tokens), (1, 3));
}

#[tokio::test]
async fn uses_are_written_together_and_not_again_within_five_minutes() {
    let (_dir, storage, tokens) = start().await;
    make(&storage, 2).await;
    let used = async || {
        let mut listed = storage.tokens_of(user(), NOW).await.unwrap();
        listed.sort_by_key(|token| token.id);
        listed
            .into_iter()
            .map(|token| token.used)
            .collect::<Vec<_>>()
    };
    let later = |ms: u64| Timestamp(NOW.0 + ms);
    for (at, token) in [(0, 1), (1, 2), (299_999, 1)] {
        tokens.identify(&text(token), later(at)).await.unwrap();
    }
    assert_eq!(used().await, [None, None], "nobody waits for it");
    tokens.write_uses().await.unwrap();
    assert_eq!(used().await, [Some(NOW), Some(later(1))]);
    tokens.identify(&text(1), later(300_000)).await.unwrap();
    tokens.write_uses().await.unwrap();
    assert_eq!(used().await, [Some(later(300_000)), Some(later(1))]);
}

#[test]
fn what_is_known_is_bounded_and_what_is_used_stays() {
    let mut known = Known::default();
    let hash = |number: usize| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    };
    let actor = Actor::new(user(), false);
    let identity = Identity::full(actor, "R".into(), END, Proof::Session(SessionId(1)));
    let entry = Entry {
        identity: Arc::new(identity),
        used: None,
    };
    for number in 0..5 * KNOWN_MAX {
        known.put(hash(number), entry.clone());
        assert!(known.get(&hash(0)).is_some(), "{number}");
        assert!(known.newer.len() + known.older.len() <= KNOWN_MAX + 1);
    }
    assert!(known.get(&hash(1)).is_none());
}
