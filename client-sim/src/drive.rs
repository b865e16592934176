//! What makes a fleet work: commands and presence when they are due, and storms.

use std::time::Duration;

use boardcast_protocol::message::{Activity, Whereabouts};

use crate::client::ClientHandle;
use crate::fleet::{Fleet, wall_clock};
use crate::plan::{Plan, Storm};
use crate::replica::Keep;
use crate::timetable::Timetable;
use crate::workload::Workload;

/// Clients that are asked in turn whether they take a command.
const TRIES: usize = 64;
/// One command in so many comes with opening a card.
const OPEN_EVERY: u64 = 16;
/// Commands that are handed out before other tasks get a turn.
const BURST: u64 = 64;

/// Does all that is planned for the time of the commands; ends when that is over.
pub async fn drive(fleet: &Fleet, clients: &[ClientHandle], plan: &Plan, seed: u64) {
    let begun_ns = fleet.now_ns();
    let ending = async {
        for storm in &plan.storms {
            let at = plan.duration.mul_f64(storm.at);
            sleep_until(fleet, begun_ns, at).await;
            cut(clients, storm).await;
        }
        sleep_until(fleet, begun_ns, plan.duration).await;
    };
    tokio::join!(
        commands(fleet, clients, plan, begun_ns, seed),
        presence(fleet, clients, &plan.presence, begun_ns, seed),
        ending,
    );
}

/// Hands out commands in an open loop: each is due at its time, whether or not earlier ones were
/// answered, and its latency counts from then.
async fn commands(fleet: &Fleet, clients: &[ClientHandle], plan: &Plan, begun_ns: u64, seed: u64) {
    let timetable = &plan.commands;
    let mut workload = Workload::new(seed).with_cards_max(plan.cards_max);
    for number in 0..timetable.total() {
        let due_ns = begun_ns + timetable.due_ns(number);
        wait(fleet, due_ns, number).await;
        let late_ns = fleet.now_ns().saturating_sub(due_ns);
        fleet.tally().late_us.saturating_record(late_ns / 1_000);
        let first = (number % clients.len() as u64) as usize;
        if !hand_out(clients, first, due_ns, number, &mut workload) {
            fleet.tally().commands.held_back += 1;
        }
    }
}

/// Gives the next command to client `first`, or to the next one that is there and takes it.
fn hand_out(
    clients: &[ClientHandle],
    first: usize,
    due_ns: u64,
    number: u64,
    workload: &mut Workload,
) -> bool {
    for try_ in 0..clients.len().min(TRIES) {
        let client = &clients[(first + try_) % clients.len()];
        if !client.is_live() || client.is_slow() {
            continue;
        }
        let made = client.chronicle().with_view(|reference| {
            let (_, view) = reference?;
            let opened = workload
                .card(view)
                .filter(|_| number.is_multiple_of(OPEN_EVERY));
            Some((workload.next(view, wall_clock()), opened))
        });
        let Some((cmds, opened)) = made else { continue };
        if client.submit(cmds, due_ns).is_err() {
            continue;
        }
        if let Some(card) = opened.filter(|_| client.keep() == Keep::View) {
            client.open(card);
        }
        return true;
    }
    false
}

/// Lets one client after the other tell where its person is: by turns it looks at a card, writes
/// in it, drags it.
async fn presence(
    fleet: &Fleet,
    clients: &[ClientHandle],
    timetable: &Timetable,
    begun_ns: u64,
    seed: u64,
) {
    let mut workload = Workload::new(seed ^ 0x9e5e);
    let doings = [Activity::Viewing, Activity::Typing, Activity::Dragging];
    for number in 0..timetable.total() {
        wait(fleet, begun_ns + timetable.due_ns(number), number).await;
        let index = (number % clients.len() as u64) as usize;
        let client = &clients[index];
        if !client.is_live() || client.is_slow() {
            continue;
        }
        let card = client.chronicle().with_view(|reference| {
            let (_, view) = reference?;
            workload.card(view)
        });
        // Each of them goes through all three, however many there are.
        let turn = number / clients.len() as u64 + number;
        let doing = doings[(turn % doings.len() as u64) as usize];
        let column = None;
        client.tell(Some(Whereabouts {
            doing,
            card,
            column,
        }));
    }
}

async fn cut(clients: &[ClientHandle], storm: &Storm) {
    let count = (clients.len() as f64 * storm.share).round() as usize;
    let away = Duration::from_secs_f64(storm.away_seconds);
    for client in clients.iter().rev().take(count) {
        client.cut(away).await;
    }
}

/// Waits until `due_ns`, or lets other tasks have a turn now and then where that is over.
async fn wait(fleet: &Fleet, due_ns: u64, number: u64) {
    let wait_ns = due_ns.saturating_sub(fleet.now_ns());
    if wait_ns > 0 {
        tokio::time::sleep(Duration::from_nanos(wait_ns)).await;
    } else if number.is_multiple_of(BURST) {
        tokio::task::yield_now().await;
    }
}

async fn sleep_until(fleet: &Fleet, begun_ns: u64, at: Duration) {
    let spent = Duration::from_nanos(fleet.now_ns() - begun_ns);
    tokio::time::sleep(at.saturating_sub(spent)).await;
}
