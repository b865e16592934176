//! A database that is older than the program.

use boardcast_tests::fixture::first_schema;
use boardcast_tests::process::Serving;
use sqlx::Connection;

use super::{Scene, failed, text};

#[tokio::test]
async fn a_backup_is_taken_before_the_schema_is_brought_up_to_date() {
    let scene = Scene::new();
    let data = scene.data();
    std::fs::create_dir(&data).expect("a folder");
    let mut conn = first_schema(&data.join("boardcast.db")).await;
    let board = "INSERT INTO boards (id, doc, version, created) \
            VALUES ('plans', '{\"id\":\"plans\",\"title\":\"Plans\",\"next_number\":1}', 0, 1); \
        INSERT INTO epochs VALUES ('plans', 1, '00000000000000aa', 0)";
    sqlx::raw_sql(board)
        .execute(&mut conn)
        .await
        .expect("a board");
    conn.close().await.expect("a closed database");

    let serving = Serving::start(&data);
    assert_eq!(serving.terminate(), Some(0));
    let backups = scene.files("boardcast.db.before-");
    assert_eq!(backups, [data.join("boardcast.db.before-0002")]);
    let told = failed(&["check", "--file", text(&backups[0])]);
    assert!(told.contains("it lacks migration 2"), "{told}");
    let report = scene.clean(&["--data-dir", text(&data)]);
    assert_eq!(report["boards"], 1);

    // There is nothing to do at the next start; and the backup brings all of it back.
    let serving = Serving::start(&data);
    assert_eq!(serving.terminate(), Some(0));
    assert_eq!(scene.files("boardcast.db.before-"), backups);
    super::succeeded(&["restore", text(&backups[0]), "--data-dir", text(&data)]);
    let serving = Serving::start(&data);
    assert_eq!(serving.terminate(), Some(0));
    let second = data.join("boardcast.db.before-0002-2");
    assert_eq!(
        scene.files("boardcast.db.before-"),
        [backups[0].clone(), second]
    );
    assert_eq!(scene.clean(&["--data-dir", text(&data)])["boards"], 1);
}
