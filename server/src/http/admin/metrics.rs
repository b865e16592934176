//! `GET /metrics`: the numbers of the server for Prometheus. No label names a user or a board, so
//! the count of series is fixed.
//!
//! An admin's token is asked for, but not from who asks on the machine itself: a peer on a loopback
//! address, by a loopback name, with no sign that a proxy stands between. A browser that was led
//! here by a name of somebody else, or a proxy that serves the world, is not let in by that.

use std::net::{IpAddr, SocketAddr};

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use boardcast_protocol::board::Reason;
use boardcast_protocol::message::ErrorCode;

use super::exposition::{Exposition, MEDIA_TYPE};
use super::scrape::Scrape;
use super::{Looks, require_admin};
use crate::attachments::FileCounts;
use crate::backups::BackupStats;
use crate::connection::Services;
use crate::connection::refusals::Cause;
use crate::connection::tally::{CLOSE_CAUSES, REFUSAL_STATUSES};
use crate::http::App;
use crate::http::auth::{bearer, refuse_token_in_query};
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::measure::Counters;
use crate::process::Usage;
use crate::storage::{FileTotals, Health};

/// Headers by which proxies say that they stand between.
const FORWARDED: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/// All metrics.
pub(super) async fn metrics(
    State(app): State<App>,
    Extension(looks): Extension<Looks>,
    peer: Peer,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    refuse_token_in_query(&uri)?;
    match bearer(&headers, &app).await? {
        Some(identity) => require_admin(&identity)?,
        None if is_local(peer.address, &headers) => {}
        None => {
            let hint = "send `Authorization: Bearer TOKEN` of an admin, or ask on the machine \
                        itself by a loopback address";
            return Err(Problem::unauthorized(hint));
        }
    }
    let services = app.services;
    let mut text = looks.look(move || expose(&services)).await?;
    let totals = app.attachments.totals().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "failed to count the files; metrics say there are none");
        FileTotals::default()
    });
    files(&mut text, totals, app.attachments.counts());
    backups(&mut text, &app.backups.read());
    let text = text.into_text();
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}

fn is_local(peer: SocketAddr, headers: &HeaderMap) -> bool {
    peer.ip().to_canonical().is_loopback()
        && headers.get(header::HOST).is_some_and(|host| {
            let host = host.to_str().unwrap_or_default();
            let name = match host.rsplit_once(':') {
                Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
                Some(_) | None => host,
            };
            let address = name.trim_start_matches('[').trim_end_matches(']');
            name.eq_ignore_ascii_case("localhost")
                || (address.parse::<IpAddr>()).is_ok_and(|ip| ip.is_loopback())
        })
        && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

fn expose(services: &Services) -> Exposition {
    let scrape = Scrape::of(services);
    let mut text = Exposition::default();
    connections(&mut text, services, &scrape);
    rooms(&mut text, services, &scrape);
    storage(&mut text, services, &scrape);
    if let Some(usage) = scrape.process {
        process(&mut text, &usage);
    }
    let version = [(env!("CARGO_PKG_VERSION"), 1)];
    let name = ("boardcast_build_info", "version");
    text.gauges(name, "The version of this program; always 1.", version);
    text
}

fn files(text: &mut Exposition, totals: FileTotals, counts: &FileCounts) {
    text.gauge(
        "boardcast_files",
        "Files of attachments, each counted once.",
        totals.files,
    );
    text.gauge("boardcast_files_bytes", "Their bytes.", totals.bytes);
    #[rustfmt::skip]
    let counters: [(&str, &str, u64); 4] = [
        ("boardcast_files_received_total", "Files that were received and kept.", counts.received()),
        ("boardcast_files_received_bytes_total", "Their bytes.", counts.received_bytes()),
        ("boardcast_files_damaged_total", "Reads that found a file missing or damaged.", counts.damaged()),
        ("boardcast_files_removed_total", "Files that were removed because nothing referred to them.", counts.removed()),
    ];
    for (name, help, value) in counters {
        text.counter(name, help, value);
    }
}

fn backups(text: &mut Exposition, stats: &BackupStats) {
    #[rustfmt::skip]
    let counters: [(&str, &str, u64); 2] = [
        ("boardcast_backups_taken_total", "Backups that the server took by itself.", stats.taken),
        ("boardcast_backups_failed_total", "Those that failed.", stats.failed),
    ];
    for (name, help, value) in counters {
        text.counter(name, help, value);
    }
    text.gauge(
        "boardcast_backup_newest_seconds",
        "When the newest of them was taken, since 1970; 0 where there is none.",
        stats.newest.unwrap_or_default() / 1_000,
    );
}

fn connections(text: &mut Exposition, services: &Services, scrape: &Scrape) {
    let tally = &services.connections.tally;
    let totals = &scrape.totals;
    #[rustfmt::skip]
    let gauges: [(&str, &str, u64); 4] = [
        ("boardcast_connections", "Open WebSocket connections.", scrape.connections as u64),
        ("boardcast_connections_admitted", "Those that have said hello.", totals.admitted),
        ("boardcast_outbox_bytes", "Bytes that wait to be written to all connections.", totals.pending_bytes),
        ("boardcast_outbox_max_bytes", "Bytes that wait to be written to the connection with the most.", totals.pending_bytes_max),
    ];
    for (name, help, value) in gauges {
        text.gauge(name, help, value);
    }
    #[rustfmt::skip]
    let counters: [(&str, &str, u64); 7] = [
        ("boardcast_connections_opened_total", "WebSocket connections that were opened.", tally.opened.get()),
        ("boardcast_received_bytes_total", "Bytes read from WebSocket connections.", totals.read_bytes),
        ("boardcast_sent_bytes_total", "Bytes written to WebSocket connections.", totals.written_bytes),
        ("boardcast_received_messages_total", "Text messages of clients.", totals.messages),
        ("boardcast_sent_frames_total", "Frames queued for clients.", totals.frames),
        ("boardcast_limits_hit_total", "Messages refused because of a limit of a connection.", totals.limits_hit),
        ("boardcast_presence_dropped_total", "Ticks of presence dropped because a connection was slow.", totals.dropped_presence),
    ];
    for (name, help, value) in counters {
        text.counter(name, help, value);
    }
    text.counters(
        ("boardcast_connections_closed_total", "cause"),
        "WebSocket connections that ended.",
        named(CLOSE_CAUSES, &tally.closed),
    );
    let statuses = REFUSAL_STATUSES.map(|status| status.to_string());
    let statuses = statuses.into_iter().chain(["other".to_owned()]);
    text.counters(
        ("boardcast_upgrades_refused_total", "status"),
        "Requests for a WebSocket that were refused.",
        named(statuses, &tally.upgrades_refused),
    );
    let refusals = &services.refusals;
    text.counters(
        ("boardcast_refusals_total", "limit"),
        "What was refused because of a limit of connections.",
        Cause::ALL.map(|cause| (cause.name(), refusals.count(cause))),
    );
    text.counters(
        ("boardcast_errors_total", "code"),
        "Messages that connections answered with an error.",
        named(ErrorCode::ALL.map(word), &tally.refused),
    );
    let api_tokens = &services.api_tokens;
    text.gauge(
        "boardcast_tokens_known",
        "Tokens for programs that are known without a read.",
        api_tokens.known_count() as u64,
    );
    text.counters(
        ("boardcast_token_lookups_total", "from"),
        "Look-ups of tokens for programs.",
        [
            ("memory", api_tokens.hits.get()),
            ("database", api_tokens.misses.get()),
        ],
    );
}

fn rooms(text: &mut Exposition, services: &Services, scrape: &Scrape) {
    let stats = services.rooms.stats();
    #[rustfmt::skip]
    let gauges: [(&str, &str, u64); 4] = [
        ("boardcast_rooms", "Boards that are loaded.", scrape.loaded.boards as u64),
        ("boardcast_rooms_bytes", "Rough count of their bytes in memory.", scrape.loaded.bytes as u64),
        ("boardcast_room_inputs", "Inputs that wait for all rooms.", scrape.inboxes.waiting as u64),
        ("boardcast_room_inputs_max", "Inputs that wait for the room with the most.", scrape.inboxes.longest as u64),
    ];
    for (name, help, value) in gauges {
        text.gauge(name, help, value);
    }
    #[rustfmt::skip]
    let counters = [
        ("boardcast_deliveries_total", "Batches queued for subscribers, each subscriber counted.", &stats.deliveries),
        ("boardcast_batches_total", "Batches encoded.", &stats.batches),
        ("boardcast_snapshots_encoded_total", "Snapshots encoded.", &stats.snapshots_encoded),
        ("boardcast_past_reads_total", "Parts of the log read for subscriptions.", &stats.past_reads),
        ("boardcast_past_given_up_total", "Subscriptions that got a snapshot because the log did not serve.", &stats.past_given_up),
        ("boardcast_resyncs_total", "Subscribers that fell behind and got a snapshot in place.", &stats.resyncs),
        ("boardcast_slow_consumers_total", "Subscribers that fell behind again and were closed.", &stats.slow_consumers),
        ("boardcast_submits_busy_total", "Submits refused because room or journal had no place.", &stats.busy),
    ];
    for (name, help, counter) in counters {
        text.counter(name, help, counter.get());
    }
    text.counters(
        ("boardcast_subscriptions_total", "with"),
        "Subscriptions, by what they began with.",
        [
            ("events", stats.resumes_by_events.get()),
            ("snapshot", stats.resumes_by_snapshot.get()),
        ],
    );
    text.counters(
        ("boardcast_submits_rejected_total", "reason"),
        "Submits that the board rejected.",
        named(Reason::ALL.map(word), &stats.rejected),
    );
    text.sizes(
        "boardcast_batch_versions",
        "Versions of a batch.",
        &stats.sizes.batch_versions.read(),
    );
    text.times(
        "boardcast_fan_out_seconds",
        "From a room taking a version to its batch being queued for the last subscriber.",
        &stats.sizes.fan_out_us.read(),
    );
    text.times(
        "boardcast_room_wait_seconds",
        "From a submit being read to its room, which did nothing else, beginning to take it.",
        &services.storage.lag().reports().read(),
    );
}

fn storage(text: &mut Exposition, services: &Services, scrape: &Scrape) {
    let (status, observed) = (&scrape.journal, services.storage.observed());
    let is_healthy = u64::from(status.health == Health::Healthy);
    #[rustfmt::skip]
    let gauges: [(&str, &str, u64); 6] = [
        ("boardcast_journal_healthy", "1 while the journal can write, else 0.", is_healthy),
        ("boardcast_journal_versions", "Versions that are not durable yet.", status.queued_versions as u64),
        ("boardcast_journal_bytes", "Their bytes.", status.queued_bytes as u64),
        ("boardcast_journal_rows_bytes", "Bytes of rows that wait to be written behind.", status.queued_rows_bytes as u64),
        ("boardcast_database_bytes", "Size of the database file.", status.database_bytes),
        ("boardcast_wal_bytes", "Size of its write-ahead log.", status.wal_bytes),
    ];
    for (name, help, value) in gauges {
        text.gauge(name, help, value);
    }
    let counters = &status.counters;
    #[rustfmt::skip]
    let counters: [(&str, &str, u64); 5] = [
        ("boardcast_journal_durable_versions_total", "Versions that were made durable.", counters.versions),
        ("boardcast_journal_retries_total", "Transactions that failed and were repeated.", counters.retries),
        ("boardcast_journal_failed_boards_total", "Boards given up because their data breaks a rule.", counters.failed_boards),
        ("boardcast_journal_checkpoints_total", "Checkpoints of the write-ahead log.", counters.checkpoints),
        ("boardcast_slow_queries_total", "Queries and transactions that took 100 ms or longer.", observed.slow.get()),
    ];
    for (name, help, value) in counters {
        text.counter(name, help, value);
    }
    text.sizes(
        "boardcast_journal_group_versions",
        "Versions committed together.",
        &observed.group_versions.read(),
    );
    #[rustfmt::skip]
    let times = [
        ("boardcast_journal_lag_seconds", "From a version being handed over to its being durable.", &observed.lag_us),
        ("boardcast_journal_commit_seconds", "From BEGIN to the end of COMMIT of a group of versions.", &observed.commit_us),
        ("boardcast_storage_read_seconds", "Reads of the database.", &observed.read_us),
    ];
    for (name, help, histogram) in times {
        text.times(name, help, &histogram.read());
    }
}

fn process(text: &mut Exposition, usage: &Usage) {
    text.counter(
        "process_cpu_seconds_total",
        "User and system time.",
        usage.cpu_ms as f64 / 1e3,
    );
    #[rustfmt::skip]
    let gauges = [
        ("process_resident_memory_bytes", "Resident memory.", usage.resident_bytes),
        ("process_virtual_memory_bytes", "Mapped addresses.", usage.virtual_bytes),
        ("process_open_fds", "Open files and sockets.", usage.open_files),
        ("process_max_fds", "How many there may be.", usage.open_files_max),
        ("process_start_time_seconds", "When the process began, since 1970.", usage.started_s),
    ];
    for (name, help, value) in gauges {
        text.gauge(name, help, value);
    }
}

/// Counters of kinds with the names of the kinds.
fn named<T, const N: usize>(
    names: impl IntoIterator<Item = T>,
    counters: &Counters<N>,
) -> impl Iterator<Item = (T, u64)> {
    let counts = (0..N).map(|kind| counters.of(kind).get());
    names.into_iter().zip(counts)
}

/// The word by which a kind goes over the wire.
fn word(kind: impl Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn asks(peer: &str, headers: &[(&'static str, &str)]) -> bool {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        let headers = headers.iter().map(pair).collect();
        is_local(peer.parse().unwrap(), &headers)
    }

    #[test]
    fn only_who_asks_on_the_machine_itself_needs_no_token() {
        for host in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "localhost:8080",
            "LocalHost",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(asks("127.0.0.1:5", &[("host", host)]), "{host}");
            assert!(asks("[::1]:5", &[("host", host)]), "{host}");
            assert!(asks("[::ffff:127.0.0.1]:5", &[("host", host)]), "{host}");
            assert!(!asks("10.0.0.7:5", &[("host", host)]), "{host}");
        }
        for host in [
            "boards.example",
            "localhost.example:8080",
            "127.0.0.1.example",
            "10.0.0.7",
            "",
        ] {
            assert!(!asks("127.0.0.1:5", &[("host", host)]), "{host}");
        }
        assert!(!asks("127.0.0.1:5", &[]));
        for name in FORWARDED {
            let headers = [("host", "localhost"), (name, "10.0.0.7")];
            assert!(!asks("127.0.0.1:5", &headers), "{name}");
        }
    }
}
