//! `GET /api/v1/admin/stats`.

use boardcast_tests::harness::TestServer;
use boardcast_tests::raw;

use super::{add_column, admin, ask, client_of, get, until};

const STATS: &str = "/api/v1/admin/stats";

#[tokio::test]
async fn the_numbers_are_those_of_what_happened() {
    let server = TestServer::start().await;
    let mut ann = client_of(&server, "ann", "t/1").await;
    let busy = ann.create_board("Busy").await;
    ann.subscribe(busy, None).await;
    let mut watcher = client_of(&server, "ann", "t/1").await;
    watcher.subscribe(busy, None).await;
    let quiet = ann.create_board("Quiet").await;
    ann.subscribe(quiet, None).await;
    for n in 1..=20 {
        add_column(&mut ann, busy, n).await;
    }
    add_column(&mut ann, quiet, 1).await;
    // No id of a column is given twice.
    let again = r#"[{"type":"column.create","column":"c1","title":"x"}]"#;
    ann.submit(busy, 21, serde_json::from_str(again).expect("a command"))
        .await;
    ann.outcome().await;
    let (refused, _) = raw::upgrade(server.address(), "/ws", &[("Sec-WebSocket-Key", "")]).await;
    assert_eq!(refused.status, 400);
    drop(watcher);

    let stats = until(async || {
        let stats = get(&server, STATS).await;
        (stats["connections"]["open"] == 1 && stats["journal"]["queued_versions"] == 0)
            .then_some(stats)
    })
    .await;
    let number = |pointer: &str| {
        let value = stats.pointer(pointer).and_then(|value| value.as_u64());
        value.unwrap_or_else(|| panic!("no {pointer} in {stats}"))
    };
    assert_eq!(stats["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(number("/connections/opened"), 2);
    assert_eq!(number("/connections/admitted"), 1);
    assert_eq!(
        stats["connections"]["closed"],
        serde_json::json!({"lost": 1})
    );
    assert_eq!(number("/connections/refused"), 1);
    // What went over the connection that has ended is not forgotten.
    assert!(number("/connections/received/messages") >= 2 + 3 + 2 + 22);
    assert!(number("/connections/sent/bytes") > 4_000);

    assert_eq!(number("/rooms/open"), 2);
    // 21 versions, each in a batch of its own because its author waited for the last.
    assert_eq!(number("/rooms/batches"), 21);
    assert_eq!(number("/rooms/deliveries"), 20 * 2 + 1);
    assert_eq!(number("/rooms/batch_versions/count"), 21);
    assert_eq!(number("/rooms/batch_versions/p50"), 1);
    assert_eq!(number("/rooms/batch_versions/p99"), 1);
    assert_eq!(number("/rooms/fan_out_us/count"), 21);
    assert!(number("/rooms/fan_out_us/p50") > 0);
    assert_eq!(number("/rooms/rejected"), 1);
    assert_eq!(number("/rooms/inputs"), 0);

    let boards = stats["boards"].as_array().expect("a list");
    assert_eq!(boards.len(), 2);
    assert_eq!(boards[0]["board"], busy.as_str());
    assert_eq!(boards[0]["subscribers"], 2);
    assert_eq!(boards[0]["deliveries"], 40);
    assert_eq!(boards[0]["fan_out_us"]["count"], 20);
    assert_eq!(boards[1]["deliveries"], 1);

    assert_eq!(stats["journal"]["health"], "healthy");
    assert_eq!(number("/journal/versions"), 21);
    assert_eq!(number("/journal/lag_us/count"), 21);
    assert_eq!(
        number("/journal/group_versions/count"),
        number("/journal/commit_us/count")
    );
    assert!(number("/journal/lag_us/mean") >= number("/journal/commit_us/mean"));
    assert!(number("/journal/database_bytes") >= 4_096);
    assert_eq!(number("/slow_queries/above_ms"), 100);
    assert!(
        number("/slow_queries/read_us/count") >= 2,
        "two boards were read"
    );
    let slowest = stats["slow_queries"]["slowest"].as_array().expect("a list");
    let slow = number("/slow_queries/count");
    assert_eq!(slowest.len() as u64, slow.min(10));

    #[cfg(target_os = "linux")]
    {
        assert!(number("/process/resident_bytes") > 1 << 20);
        assert!(number("/process/open_files") > 5);
        assert!(number("/process/cpu_ms") > 0);
    }
}

#[tokio::test]
async fn the_count_of_boards_is_bounded() {
    let server = TestServer::start().await;
    let mut ann = client_of(&server, "ann", "t/1").await;
    for n in 0..12 {
        let board = ann.create_board(&format!("Board {n}")).await;
        ann.subscribe(board, None).await;
        add_column(&mut ann, board, 1).await;
    }
    for (query, count) in [
        ("", 10),
        ("?boards=0", 0),
        ("?boards=3", 3),
        ("?boards=100", 12),
    ] {
        let stats = get(&server, &format!("{STATS}{query}")).await;
        assert_eq!(
            stats["boards"].as_array().map(Vec::len),
            Some(count),
            "{query}"
        );
    }
    let admin = format!("Bearer {}", admin(&server));
    for query in ["?boards=101", "?boards=x", "?board=1"] {
        let path = format!("{STATS}{query}");
        let answer = ask(&server, "GET", &path, &[("Authorization", &admin)]).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.hint().contains("`boards` is 0 to 100"));
    }
}
