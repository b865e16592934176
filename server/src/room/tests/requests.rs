//! Somebody without a connection: answered when it is on disk, exactly once for a key (R1, R4, R5,
//! R10).

use tokio::sync::oneshot;

use boardcast_protocol::board::Reason;
use serde_json::Value;

use super::*;
use crate::storage::KEY_KEPT_MS;

type Asked = Result<Decided, RequestRefused>;

fn actor(name: &str) -> Actor {
    Actor::new(user(name), false)
}

/// A request of a user, under a key.
fn request(name: &str, key: Option<u128>, cmds: Vec<Command>) -> Request {
    let (answer, _) = oneshot::channel();
    Request {
        actor: actor(name),
        address: std::net::Ipv4Addr::LOCALHOST.into(),
        name: key.map(|key| (ClientId::of_key(key << 21), Seq(1))),
        cmds,
        condition: None,
        answer,
    }
}

fn ask(bench: &mut Bench, mut request: Request) -> (Option<Append>, Asked) {
    let (answer, mut asked) = oneshot::channel();
    request.answer = answer;
    let append = bench.handle(RoomInput::Request(Box::new(request)));
    (
        append,
        asked.try_recv().expect("an answer in the same turn"),
    )
}

fn refused(asked: Asked) -> RequestRefused {
    asked.expect_err("it is refused")
}

#[test]
fn r5_a_request_is_seen_at_once_and_answered_when_it_is_on_disk() {
    let mut bench = Bench::new();
    let mut vi = bench.joined(1, "vi");
    let (append, asked) = ask(&mut bench, request("ed", None, vec![create(1), create(2)]));
    let append = append.expect("a version");
    assert_eq!((append.version, append.origin), (Version(1), None));
    bench.room.flush();
    let [batch] = vi.batches().try_into().expect("one batch");
    assert_eq!((batch.v.len(), batch.v[0].ev.len()), (1, 2));
    assert_eq!(batch.v[0].by, user("ed"));
    let mut decided = asked.expect("it is carried out");
    assert_eq!(decided.version, Some(Version(1)));
    assert!(decided.durable.try_recv().is_err(), "not on disk yet");
    assert!(!bench.room.is_idle());
    bench.room.durable(Version(1));
    assert_eq!(decided.durable.try_recv(), Ok(()));
}

#[test]
fn r5_nothing_to_do_waits_for_what_was_found() {
    let mut bench = Bench::new();
    let (_, first) = ask(&mut bench, request("ed", None, vec![create(1)]));
    let mut first = first.expect("carried out");
    let same = Command::CardArchive {
        card: CardId::from_u128(1),
        archived: false,
    };
    let (append, second) = ask(&mut bench, request("ed", None, vec![same]));
    let mut second = second.expect("carried out");
    assert!(append.is_none() && second.version.is_none());
    assert!(second.durable.try_recv().is_err());
    bench.room.durable(Version(1));
    assert!(first.durable.try_recv().is_ok() && second.durable.try_recv().is_ok());
}

#[test]
fn r4_the_same_key_is_answered_again_and_another_body_is_refused() {
    let mut bench = Bench::new();
    let (append, _) = ask(&mut bench, request("ed", Some(7), vec![create(1)]));
    let (client, seq, _) = append.expect("a version").origin.expect("a name");
    assert_eq!((client, seq), (ClientId::of_key(7 << 21), Seq(1)));
    let (append, again) = ask(&mut bench, request("ed", Some(7), vec![create(1)]));
    assert!(append.is_none());
    assert_eq!(again.expect("the same answer").version, Some(Version(1)));
    let (append, other) = ask(&mut bench, request("ed", Some(7), vec![create(2)]));
    assert!(append.is_none());
    assert_eq!(refused(other), RequestRefused::KeyReused);
    let (_, rejected) = ask(&mut bench, request("ed", Some(8), vec![create(1)]));
    let RequestRefused::Rejected(first) = refused(rejected) else {
        panic!("rejected");
    };
    assert_eq!(first.reason, Reason::DuplicateId);
    let (_, rejected) = ask(&mut bench, request("ed", Some(8), vec![create(1)]));
    assert_eq!(refused(rejected), RequestRefused::Rejected(first));
    assert_eq!(bench.view().1, Version(1));
}

#[test]
fn r4_a_key_is_forgotten_after_a_day() {
    let mut bench = Bench::new();
    let (_, asked) = ask(&mut bench, request("ed", Some(7), vec![create(1)]));
    asked.expect("carried out");
    bench.now += KEY_KEPT_MS - 1;
    let (_, other) = ask(&mut bench, request("ed", Some(7), vec![create(2)]));
    assert_eq!(refused(other), RequestRefused::KeyReused);
    let (append, _) = ask(&mut bench, request("ed", Some(7), vec![create(2)]));
    assert_eq!(append.expect("a version").version, Version(2));
}

#[test]
fn r4_keys_of_a_user_are_bounded_and_the_next_is_refused() {
    let mut bench = Bench::new();
    let archive = |archived| Command::CardArchive {
        card: CardId::from_u128(1),
        archived,
    };
    let (_, asked) = ask(&mut bench, request("ed", None, vec![create(1)]));
    asked.expect("carried out");
    bench.room.durable(Version(1));
    for key in 0..10_000 {
        bench.now += 1;
        let (_, asked) = ask(&mut bench, request("ed", Some(key), vec![archive(false)]));
        asked.expect("nothing to do");
    }
    bench.now += 60_000;
    let (_, asked) = ask(&mut bench, request("ed", Some(10_000), vec![archive(true)]));
    assert_eq!(refused(asked), RequestRefused::TooManyKeys);
    let (_, known) = ask(&mut bench, request("ed", Some(0), vec![archive(false)]));
    assert!(known.expect("the same answer").version.is_none());
    let (_, other) = ask(
        &mut bench,
        request("ann", Some(20_000), vec![archive(false)]),
    );
    other.expect("another user has its own");
    bench.now += KEY_KEPT_MS;
    let (append, _) = ask(&mut bench, request("ed", Some(10_000), vec![archive(true)]));
    assert!(append.is_some(), "after a day there is place");
}

#[test]
fn r10_a_request_is_checked_against_the_present_role() {
    let mut bench = Bench::new();
    let (_, asked) = ask(&mut bench, request("eve", Some(1), vec![create(1)]));
    assert_eq!(refused(asked), RequestRefused::NoSuchBoard);
    let (_, asked) = ask(&mut bench, request("vi", None, vec![create(1)]));
    let RequestRefused::Rejected(rejection) = refused(asked) else {
        panic!("rejected");
    };
    assert_eq!(rejection.reason, Reason::Forbidden);
    for (name, sees) in [("vi", true), ("eve", false)] {
        let (told, mut seen) = oneshot::channel();
        let see = Look(Box::new(move |sight| {
            let _ = told.send(sight.map(|(board, _)| board.view().title.clone()));
        }));
        let actor = actor(name);
        assert!(bench.handle(RoomInput::Look { actor, see }).is_none());
        let title = sees.then(|| "Plan".to_owned());
        assert_eq!(seen.try_recv(), Ok(title));
    }
}

#[test]
fn a_condition_that_does_not_hold_changes_nothing_and_uses_no_key() {
    let mut bench = Bench::new();
    let conditional = |holds: bool| {
        let mut request = request("ed", Some(1), vec![create(1)]);
        request.condition = Some(Box::new(move |_| match holds {
            true => Ok(()),
            false => Err(Value::from("theirs")),
        }));
        request
    };
    let (append, asked) = ask(&mut bench, conditional(false));
    assert!(append.is_none());
    assert_eq!(refused(asked), RequestRefused::Stale("theirs".into()));
    let (append, _) = ask(&mut bench, conditional(true));
    assert!(append.is_some());
    let (append, again) = ask(&mut bench, conditional(false));
    assert!(append.is_none());
    let version = again.expect("answered before").version;
    assert_eq!(version, Some(Version(1)), "whatever holds now");
}

#[test]
fn r6_the_view_is_encoded_once_for_all_who_ask_at_a_version() {
    let mut bench = Bench::new();
    let view = |bench: &mut Bench, known| {
        let (answer, mut viewed) = oneshot::channel();
        let input = RoomInput::View {
            actor: actor("vi"),
            known,
            answer,
        };
        assert!(bench.handle(input).is_none());
        viewed.try_recv().unwrap().expect("a member")
    };
    let first = view(&mut bench, None);
    assert_eq!(first.position.version, Version(0));
    let again = view(&mut bench, None);
    let (a, b) = (first.json.unwrap(), again.json.unwrap());
    assert_eq!(
        (a.as_ptr(), a.len()),
        (b.as_ptr(), b.len()),
        "the same bytes"
    );
    assert!(view(&mut bench, Some(first.position)).json.is_none());
    assert_eq!(bench.stats.views_encoded.get(), 1);
    let (_, asked) = ask(&mut bench, request("ed", None, vec![create(1)]));
    asked.expect("carried out");
    let newer = view(&mut bench, Some(first.position));
    assert_eq!(newer.position.version, Version(1));
    let decoded: View = serde_json::from_slice(&newer.json.unwrap()).unwrap();
    assert_eq!(decoded, bench.view().0);
    assert_eq!(bench.stats.views_encoded.get(), 2);
}
