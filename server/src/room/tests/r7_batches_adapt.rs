//! R7: an idle board sends at once, a busy one at most once a window.

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::rooms::{House, next_of};
use super::*;
use crate::room::timing::{Deadlines, Wants, Window};

const FLUSH: Wants = Wants {
    flush: true,
    flush_now: false,
    presence: false,
    durable: false,
    rows: false,
    sleep: false,
};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test]
async fn r7_an_idle_board_sends_at_once() {
    let house = House::new(RoomLimits::default()).await;
    let board = house.board().await;
    let handle = house.rooms.open(board).await.unwrap().unwrap();
    let mut ed = Peer::new(2, "ed");
    handle.send(ed.join(None)).await.unwrap();
    next_of(&mut ed, "presence").await;
    tokio::time::pause();
    advance(ms(1_000)).await;
    let sent = Instant::now();
    handle.send(ed.submit(1, vec![create(1)])).await.unwrap();
    next_of(&mut ed, "batch").await;
    assert_eq!(sent.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn r7_the_window_is_twice_the_cost_and_more_or_four_times_the_lag_and_at_most_40_ms() {
    let began = Instant::now();
    let mut window = Window::new(&RoomLimits::default(), began);
    assert_eq!(window.opens(), began, "nothing was sent yet");
    for (cost, lag, width_us) in [
        (4, 1, 8_600),
        (4, 5, 20_000),
        (30, 1, 40_000),
        (1, 90, 40_000),
        (0, 0, 0),
    ] {
        window.flushed(began, ms(cost), ms(lag));
        assert_eq!(window.opens(), began + Duration::from_micros(width_us));
    }
}

#[tokio::test(start_paused = true)]
async fn r7_what_is_durable_waits_for_a_window_that_a_timer_can_tell() {
    let began = Instant::now();
    let mut window = Window::new(&RoomLimits::default(), began);
    assert!(!window.holds_durable(began), "nothing was sent yet");
    window.flushed(began, Duration::from_micros(400), ms(0));
    assert!(!window.holds_durable(began), "an idle board");
    window.flushed(began, ms(4), ms(0));
    assert!(window.holds_durable(began + ms(7)));
    assert!(!window.holds_durable(began + ms(8)));
}

#[tokio::test(start_paused = true)]
async fn r7_a_busy_board_waits_for_its_window_unless_a_batch_is_full() {
    let began = Instant::now();
    let mut window = Window::new(&RoomLimits::default(), began);
    window.flushed(began, ms(4), ms(0));
    let mut deadlines = Deadlines::new(RoomLimits::default());
    let now = began + ms(6);
    deadlines.set(FLUSH, &window, now);
    assert_eq!(deadlines.next(), Some(window.opens()));
    assert!(!deadlines.take_due(now).flush);
    let full = Wants {
        flush_now: true,
        ..FLUSH
    };
    deadlines.set(full, &window, now);
    assert!(deadlines.take_due(now).flush);
}

#[tokio::test(start_paused = true)]
async fn r9_presence_is_told_at_most_four_times_a_second() {
    let began = Instant::now();
    let window = Window::new(&RoomLimits::default(), began);
    let mut deadlines = Deadlines::new(RoomLimits::default());
    let wants = Wants {
        presence: true,
        ..Wants::default()
    };
    let ticks = (0..1_000)
        .filter(|passed| {
            let now = began + ms(*passed);
            deadlines.set(wants, &window, now);
            deadlines.take_due(now).presence
        })
        .count();
    assert_eq!(ticks, 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_any_more_has_no_deadline() {
    let now = Instant::now();
    let window = Window::new(&RoomLimits::default(), now);
    let mut deadlines = Deadlines::new(RoomLimits::default());
    let idle = Wants {
        sleep: true,
        ..Wants::default()
    };
    deadlines.set(idle, &window, now);
    assert_eq!(deadlines.next(), Some(now + ms(60_000)));
    deadlines.set(Wants::default(), &window, now);
    assert_eq!(deadlines.next(), None);
}

/// Deliveries after each slice of a batch to 151 subscribers.
fn slices_of_a_large_board(limits: RoomLimits) -> Vec<u64> {
    let mut bench = Bench::with(loaded(), limits);
    let ed = bench.joined(1, "ed");
    let mut crowd: Vec<_> = (0..150)
        .map(|n| {
            let mut peer = Peer::new(100 + n, "vi");
            peer.client = ClientId::from_u128(u128::from(n));
            assert!(bench.handle(peer.join(None)).is_none());
            peer.take();
            peer
        })
        .collect();
    bench.accepted(&ed, 1, create(1));
    let mut flush = bench.room.begin_flush().unwrap();
    let mut served = Vec::new();
    loop {
        let done = bench.room.flush_slice(&mut flush);
        served.push(bench.stats.deliveries.get());
        if done {
            break;
        }
    }
    for peer in &mut crowd {
        assert_eq!(peer.batches().len(), 1);
    }
    assert!(bench.room.begin_flush().is_none());
    served
}

#[test]
fn r7_a_large_board_is_served_in_slices_of_pushes() {
    let slices = slices_of_a_large_board(RoomLimits::default());
    assert_eq!(slices, [64, 128, 151]);
}

#[test]
fn r7_a_large_board_is_served_in_slices_of_bytes() {
    let slices = slices_of_a_large_board(RoomLimits {
        bytes_per_slice: 1,
        ..RoomLimits::default()
    });
    assert_eq!(slices, (1..=151).chain([151]).collect::<Vec<_>>());
}

#[test]
fn r7_short_messages_go_out_a_slice_at_a_time() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    let mut peers: Vec<_> = (2..12)
        .map(|conn| {
            let mut peer = Peer::new(conn, "vi");
            peer.client = ClientId::from_u128(u128::from(conn));
            assert!(bench.handle(peer.join(None)).is_none());
            peer.take();
            peer
        })
        .collect();
    let mut told = |bench: &mut Bench, mut telling, kind: &str| {
        let mut done = false;
        let mut slices = Vec::new();
        while !done {
            done = bench.room.tell_slice(&mut telling, 4);
            let messages = peers.iter_mut().map(|peer| kinds(&peer.take()));
            slices.push(messages.flatten().filter(|what| what == kind).count());
        }
        slices
    };
    let presence = bench.room.begin_presence();
    // The first of the eleven is the editor, who is not counted.
    assert_eq!(told(&mut bench, presence, "presence"), [3, 4, 3]);
    bench.accepted(&ed, 1, create(1));
    bench.room.flush();
    bench.room.durable(Version(1));
    let durable = bench.room.begin_durable();
    assert_eq!(told(&mut bench, durable, "durable"), [3, 4, 3]);
    assert!(!bench.room.durable_is_due());
}
