use super::*;
use crate::auth::{Secret, Tokens};
use crate::connection::ConnectionRules;
use crate::room::{Codec, Outbox, OutboxLimits, RoomLimits, Rooms};
use crate::storage::{Storage, StorageOptions};

const WALL: Timestamp = Timestamp(1_000_000);

fn rules() -> HeartbeatRules {
    HeartbeatRules::default()
}

fn live() -> Observed {
    Observed {
        has_said_hello: true,
        ends_at: Timestamp(2_000_000),
        ..Observed::default()
    }
}

#[test]
fn silence_is_pinged_and_then_closed() {
    let mut watch = Watch::new(live(), 0, 7_000);
    let mut judge = |at_ms| watch.judge(live(), at_ms, WALL, &rules());
    assert_eq!(judge(6_999), Verdict::Nothing);
    assert_eq!(judge(7_000), Verdict::Ping);
    assert_eq!(judge(31_999), Verdict::Nothing);
    assert_eq!(judge(32_000), Verdict::Ping);
    assert_eq!(judge(34_999), Verdict::Nothing);
    assert_eq!(judge(35_000), Verdict::Close(CloseCode::HeartbeatTimeout));
    assert_eq!(judge(35_999), Verdict::Close(CloseCode::HeartbeatTimeout));
    assert_eq!(judge(36_000), Verdict::Drop(CloseCode::HeartbeatTimeout));
}

#[test]
fn any_traffic_counts_as_life() {
    let mut watch = Watch::new(live(), 0, 0);
    let mut observed = live();
    for second in 1..200 {
        if second % 30 == 0 {
            observed.reads = observed.reads.wrapping_add(1);
        }
        let verdict = watch.judge(observed, second * 1_000, WALL, &rules());
        assert!(
            matches!(verdict, Verdict::Nothing | Verdict::Ping),
            "{second}"
        );
    }
}

#[test]
fn what_the_kernel_takes_is_no_sign_of_life_and_what_a_full_one_takes_is() {
    for (pending_bytes, expected) in [
        (0, Verdict::Close(CloseCode::HeartbeatTimeout)),
        (1, Verdict::Nothing),
    ] {
        let mut watch = Watch::new(live(), 0, 1_000);
        let mut observed = live();
        let mut verdict = Verdict::Nothing;
        for second in 1..=35 {
            observed.written_bytes += 2;
            observed.pending_bytes = pending_bytes;
            verdict = watch.judge(observed, second * 1_000, WALL, &rules());
        }
        assert_eq!(verdict, expected);
    }
}

#[test]
fn hello_and_token_have_their_time() {
    let mut observed = live();
    observed.ends_at = WALL;
    let mut watch = Watch::new(observed, 0, 9_000);
    assert_eq!(
        watch.judge(observed, 1, WALL, &rules()),
        Verdict::Close(CloseCode::TokenExpired)
    );
    observed.has_said_hello = false;
    assert_eq!(
        watch.judge(observed, 2, WALL, &rules()),
        Verdict::Close(CloseCode::HelloTimeout)
    );
}

#[test]
fn r8_what_is_not_taken_for_10_s_drops_the_socket() {
    let mut watch = Watch::new(live(), 0, 25_000);
    let mut observed = live();
    observed.pending_bytes = 1;
    assert_eq!(
        watch.judge(observed, 5_000, WALL, &rules()),
        Verdict::Nothing
    );
    observed.written_bytes = 1;
    assert_eq!(
        watch.judge(observed, 14_000, WALL, &rules()),
        Verdict::Nothing
    );
    assert_eq!(
        watch.judge(observed, 23_999, WALL, &rules()),
        Verdict::Nothing
    );
    assert_eq!(
        watch.judge(observed, 24_000, WALL, &rules()),
        Verdict::Drop(CloseCode::SlowConsumer)
    );
    observed.pending_bytes = 0;
    assert_eq!(
        watch.judge(observed, 24_001, WALL, &rules()),
        Verdict::Nothing
    );
}

#[tokio::test]
async fn connections_that_begin_together_are_first_pinged_at_moments_of_their_own() {
    const CONNECTIONS: u64 = 200;
    let data = tempfile::tempdir().unwrap();
    let storage = (Storage::open(StorageOptions::new(data.path())).await).unwrap();
    let rooms = Rooms::new(storage.clone(), RoomLimits::default());
    let tokens = Tokens::new(&Secret::of_tests());
    let rules = ConnectionRules {
        heartbeat: HeartbeatRules {
            hello_within_ms: u64::from(u32::MAX),
            ..HeartbeatRules::default()
        },
        ..ConnectionRules::default()
    };
    let services = Arc::new(Services::new(rooms, storage, tokens, rules));
    let open: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let outbox = Outbox::new(Codec::Json, OutboxLimits::default());
            let hello_until = Timestamp(clock::now().0 + 1_000_000);
            let from = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
            services.connections.open(outbox, from, hello_until)
        })
        .collect();
    let stop = CancellationToken::new();
    tokio::time::pause();
    let sweeping = tokio::spawn(sweep(Arc::clone(&services), stop.clone()));
    let pings = || open.iter().map(|c| c.outbox.pushed_frames()).sum::<u64>();
    let mut by_tick = Vec::new();
    for _ in 0..50 {
        let before = pings();
        tokio::time::sleep(Duration::from_millis(500)).await;
        by_tick.push(pings() - before);
    }
    // Each has been pinged once in the interval, and a look finds a few of them at most.
    assert_eq!(by_tick.iter().sum::<u64>(), CONNECTIONS);
    assert!(by_tick.iter().all(|count| *count < 20), "{by_tick:?}");
    stop.cancel();
    sweeping.await.unwrap();
}
