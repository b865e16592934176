//! Each line of "Messages" and "Handshake" that a session alone decides.

use boardcast_protocol::board::Actor;
use boardcast_protocol::codec::decode_client;
use serde_json::{Value, json};

use boardcast_protocol::message::OutcomeResult;

use super::*;
use crate::auth::{Grant, Proof, Secret};
use crate::storage::TokenId;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

struct Talk {
    session: Session,
    tokens: Tokens,
    rules: SessionRules,
    refusals: Refusals,
    now: Timestamp,
}

impl Talk {
    /// A connection whose upgrade bore a token of `user`, or none.
    fn new(user: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(&Secret::load_or_make(dir.path()).unwrap());
        let authenticated = user.map(|user| Box::new(identity(user)));
        Self {
            session: Session::new(authenticated),
            tokens,
            rules: SessionRules::default(),
            refusals: Refusals::default(),
            now: NOW,
        }
    }

    /// A client that has said hello.
    fn live() -> Self {
        let mut talk = Self::new(Some("ann"));
        talk.say(json!({"type": "hello", "v": 1, "client": "c"}));
        talk
    }

    fn token(&self, user: &str) -> String {
        let actor = identity(user).actor;
        self.tokens.sign(actor, NOW, 60_000).unwrap()
    }

    fn say(&mut self, message: impl Into<Value>) -> Vec<Effect> {
        self.say_text(&message.into().to_string())
    }

    fn say_text(&mut self, text: &str) -> Vec<Effect> {
        let input = match decode_client(text) {
            Ok(message) => Input::Message(message),
            Err(error) => Input::Fault(error),
        };
        let context = Context {
            tokens: &self.tokens,
            rules: &self.rules,
            refusals: &self.refusals,
            now: self.now,
        };
        self.session.handle(ConnId(7), input, context)
    }
}

fn identity(user: &str) -> Identity {
    Identity {
        actor: Actor::new(user.parse().unwrap(), false),
        name: user.into(),
        expires: Timestamp(NOW.0 + 60_000),
        proof: Proof::Token(TokenId(1)),
        grant: Grant::Full,
    }
}

fn submit(board: &str, seq: u64) -> Value {
    json!({"type": "submit", "board": board, "seq": seq, "cmds": [{"type": "column.remove", "column": "x"}]})
}

/// The error among the effects, and the code with which they close.
fn error_and_close(effects: &[Effect]) -> (Option<&ErrorMessage>, Option<CloseCode>) {
    let mut error = None;
    let mut close = None;
    for effect in effects {
        if let Effect::Reply(reply) = effect
            && let ServerMessage::Error(message) = &**reply
        {
            error = Some(message);
        }
        if let Effect::Close(code) = effect {
            close = Some(*code);
        }
    }
    (error, close)
}

fn assert_refused(effects: &[Effect], code: ErrorCode, close: CloseCode) {
    let (error, closed) = error_and_close(effects);
    assert_eq!(error.map(|e| e.code), Some(code), "{effects:?}");
    assert_eq!(closed, Some(close), "{effects:?}");
    assert_eq!(effects.len(), 2, "{effects:?}");
}

fn is_busy(effects: &[Effect], seq: u64) -> bool {
    matches!(effects, [Effect::Reply(reply)] if matches!(&**reply, ServerMessage::Outcome(o)
        if o.result == OutcomeResult::Busy && o.seq == Seq(seq) && o.retry_ms.is_some()))
}

#[test]
fn hello_is_welcomed_and_subscribes() {
    for user in [Some("ann"), None] {
        let mut talk = Talk::new(user);
        let mut hello = json!({"type": "hello", "v": 1, "client": "c", "boards": [{"board": "b"}]});
        if user.is_none() {
            hello["token"] = talk.token("ann").into();
        }
        let effects = talk.say(hello);
        let [
            Effect::Admit(who, client, _),
            Effect::Reply(reply),
            Effect::Join { req, board, at },
        ] = effects.as_slice()
        else {
            panic!("{effects:?}");
        };
        assert_eq!(who.actor, identity("ann").actor);
        assert_eq!(client.as_str(), "c");
        assert_eq!((*req, board.as_str(), *at), (None, "b", None));
        let ServerMessage::Welcome(welcome) = &**reply else {
            panic!("{reply:?}");
        };
        assert_eq!((welcome.user.as_str(), welcome.conn), ("ann", 7));
    }
}

#[test]
fn nothing_is_listened_to_before_hello() {
    let mut talk = Talk::new(Some("ann"));
    for message in [
        submit("b", 1),
        json!({"type": "subscribe", "req": 3, "board": "b"}),
        json!({"type": "boards.list", "req": 4}),
        json!({"type": "ping", "t": 1}),
    ] {
        let effects = talk.say(message.clone());
        let (error, close) = error_and_close(&effects);
        let error = error.unwrap();
        assert_eq!(error.code, ErrorCode::HelloExpected);
        assert_eq!(json!(error.req), message["req"]);
        assert_eq!(json!(error.seq), message["seq"]);
        assert_eq!((effects.len(), close), (1, None));
    }
}

#[test]
fn another_version_is_not_spoken() {
    let effects = Talk::new(Some("ann")).say(json!({"type": "hello", "v": 2, "client": "c"}));
    assert_refused(
        &effects,
        ErrorCode::BadMessage,
        CloseCode::UnsupportedVersion,
    );
}

#[test]
fn a_missing_or_bad_token_in_hello_is_final() {
    let foreign = Talk::new(None).token("ann");
    for token in [Value::Null, json!("x"), json!("a.b.c"), json!(foreign)] {
        let effects =
            Talk::new(None).say(json!({"type": "hello", "v": 1, "client": "c", "token": token}));
        assert_refused(&effects, ErrorCode::Unauthorized, CloseCode::Unauthorized);
    }
    let mut talk = Talk::new(None);
    talk.now = Timestamp(NOW.0 + 120_000);
    let token = talk.token("ann");
    let effects = talk.say(json!({"type": "hello", "v": 1, "client": "c", "token": token}));
    assert_refused(&effects, ErrorCode::Unauthorized, CloseCode::Unauthorized);
}

#[test]
fn a_second_identity_ends_the_connection() {
    let mut talk = Talk::new(Some("ann"));
    let token = talk.token("bob");
    let effects = talk.say(json!({"type": "hello", "v": 1, "client": "c", "token": token}));
    assert_refused(
        &effects,
        ErrorCode::Unauthorized,
        CloseCode::PolicyViolation,
    );

    let mut talk = Talk::live();
    let token = talk.token("bob");
    let effects = talk.say(json!({"type": "hello", "v": 1, "client": "c", "token": token}));
    assert_refused(
        &effects,
        ErrorCode::HelloExpected,
        CloseCode::PolicyViolation,
    );
    assert_eq!(talk.say(json!({"type": "ping", "t": 1})), []);
}

#[test]
fn what_is_not_understood_is_answered_and_again_and_again_ends_the_connection() {
    let deep = "[".repeat(100_000);
    let mut talk = Talk::live();
    for (text, code, req) in [
        ("not json", ErrorCode::NotJson, None),
        (deep.as_str(), ErrorCode::BadMessage, None),
        ("[1]", ErrorCode::BadMessage, None),
        (
            r#"{"type":"dance","req":5}"#,
            ErrorCode::UnknownType,
            Some(5),
        ),
        (
            r#"{"type":"subscribe","req":6}"#,
            ErrorCode::BadMessage,
            Some(6),
        ),
        (r#"{"type":"ping","t":1e400}"#, ErrorCode::NotJson, None),
        (r#"{"type":"ping","t":NaN}"#, ErrorCode::NotJson, None),
        (
            r#"{"type":"ping","t":9007199254740993}"#,
            ErrorCode::BadMessage,
            None,
        ),
        (
            r#"{"type":"ping","t":1,"t":2}"#,
            ErrorCode::BadMessage,
            None,
        ),
    ] {
        let effects = talk.say_text(text);
        let (error, close) = error_and_close(&effects);
        let error = error.unwrap();
        let text = &text[..text.len().min(40)];
        assert_eq!(error.req, req, "{text}");
        assert!(
            error.code == code || text.starts_with("[[") || text.contains("1e400"),
            "{text}: {error:?}"
        );
        assert_eq!(close, None, "{text}");
    }
    let mut said = 9;
    let effects = loop {
        let effects = talk.say_text("x");
        said += 1;
        if error_and_close(&effects).1.is_some() {
            break effects;
        }
    };
    assert_eq!(said, FAULTS_MAX + 1);
    assert_refused(&effects, ErrorCode::NotJson, CloseCode::PolicyViolation);
    assert_eq!(talk.say_text("x"), []);
}

#[test]
fn faults_are_forgiven_in_time() {
    let mut talk = Talk::live();
    for _ in 0..100 {
        assert_eq!(error_and_close(&talk.say_text("x")).1, None);
        talk.now.0 += FAULT_FORGIVEN_MS;
    }
}

#[test]
fn subscriptions_are_bounded() {
    let mut talk = Talk::live();
    talk.rules.boards_max = 2;
    let mut subscribe = |board: &str| {
        let effects = talk.say(json!({"type": "subscribe", "req": 1, "board": board}));
        matches!(effects.as_slice(), [Effect::Join { .. }])
    };
    assert!(subscribe("a") && subscribe("b") && subscribe("a"));
    assert!(!subscribe("c"));
    talk.say(json!({"type": "unsubscribe", "req": 2, "board": "a"}));
    let effects = talk.say(json!({"type": "subscribe", "req": 1, "board": "c"}));
    assert!(matches!(effects.as_slice(), [Effect::Join { .. }]));
    let effects = talk.say(json!({"type": "subscribe", "req": 9, "board": "d"}));
    let (error, close) = error_and_close(&effects);
    assert_eq!(
        error.map(|e| (e.code, e.req)),
        Some((ErrorCode::Limit, Some(9)))
    );
    assert_eq!(close, None);
}

#[test]
fn r4_a_submit_names_the_lower_number_that_was_refused_and_has_not_come_again() {
    let mut talk = Talk::live();
    let after = |talk: &mut Talk, board, seq| match talk.say(submit(board, seq)).as_slice() {
        [Effect::Submit(_, after)] => *after,
        effects => panic!("{effects:?}"),
    };
    assert_eq!(after(&mut talk, "b", 4), None);
    (talk.session).refuse("b".parse().unwrap(), Seq(4), 250, String::new());
    assert_eq!(after(&mut talk, "b", 5), Some(Seq(4)));
    assert_eq!(after(&mut talk, "b", 6), Some(Seq(4)));
    assert_eq!(after(&mut talk, "a", 9), None);
    assert_eq!(after(&mut talk, "b", 4), None);
    assert_eq!(after(&mut talk, "b", 5), None);
}

#[test]
fn over_the_rate_messages_are_refused_and_ten_times_the_rate_ends_the_connection() {
    let mut talk = Talk::live();
    talk.rules.messages_per_s = 10;
    talk.rules.messages_burst = 20;
    for _ in 0..20 {
        assert_eq!(talk.say(json!({"type": "ping", "t": 1})).len(), 1);
    }
    assert!(is_busy(&talk.say(submit("b", 1)), 1));
    let effects = talk.say(json!({"type": "boards.list", "req": 3}));
    let (error, _) = error_and_close(&effects);
    assert_eq!(
        error.map(|e| (e.code, e.req)),
        Some((ErrorCode::Busy, Some(3)))
    );
    let mut said = 22;
    while error_and_close(&talk.say(json!({"type": "ping", "t": 1})))
        .1
        .is_none()
    {
        said += 1;
    }
    assert_eq!(said, 200);
    let count = |cause| talk.refusals.count(cause);
    assert_eq!(
        (count(Cause::MessagesPerSecond), count(Cause::Flood)),
        (180, 1)
    );
}
