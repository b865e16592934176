//! That the simulation can fail: each planted bug is found.

use crate::planted::Bug;
use crate::planted::tests::plant;
use crate::simulation::plan::Plan;
use crate::simulation::runner::run;

/// Runs seeds until the bug shows; at most so many.
fn found(bug: Bug, seeds: u64) {
    plant(Some(bug));
    let failure = (1..=seeds).find_map(|seed| Some((seed, run(&Plan::new(seed), false).failure?)));
    plant(None);
    let Some((seed, failure)) = failure else {
        panic!("{bug:?} was not found by {seeds} seeds");
    };
    println!("{bug:?}: found by {seed} seeds: {failure}");
}

macro_rules! bugs {
    ($($name:ident: $bug:ident, $seeds:literal;)*) => {
        $(
            #[test]
            fn $name() {
                found(Bug::$bug, $seeds);
            }
        )*
    };
}

bugs! {
    r5_an_answer_before_the_commit_is_found: AnswerBeforeCommit, 40;
    r2_a_forgotten_epoch_is_found: ForgetEpoch, 40;
    r2_a_position_compared_with_the_last_epoch_only_is_found: CompareWithLastEpochOnly, 400;
    r3_a_batch_without_its_end_is_found: LoseEndOfBatch, 40;
    r1_a_version_without_its_last_event_is_found: LoseLastEvent, 40;
    r4_a_submit_applied_twice_is_found: ApplyTwice, 40;
    r3_a_resume_that_is_off_by_one_is_found: ResumeOffByOne, 40;
    r8_a_batch_dropped_on_a_full_outbox_is_found: DropOnFullOutbox, 40;
    rows_newer_than_they_claim_are_found: RowsNewerThanClaimed, 40;
    rows_before_their_log_are_found: RowsBeforeLog, 40;
    r4_a_number_taken_after_busy_is_found: TakeAfterBusy, 40;
    r5_the_latest_version_called_durable_is_found: DurableIsLatest, 40;
    r3_a_snapshot_without_its_tail_is_found: SnapshotWithoutTail, 40;
    r4_clients_read_from_rows_only_are_found: ClientsFromRowsOnly, 40;
    r4_clients_of_the_log_that_are_not_written_are_found: LateClientsLost, 40;
    r2_a_clean_mark_on_a_torn_run_is_found: CleanThoughTorn, 400;
    r4_an_open_fence_is_found: FenceOpen, 40;
    r8_versions_given_up_on_a_full_disk_are_found: GiveUpOnFullDisk, 40;
    an_undoing_of_another_version_is_found: UndoTheOneBefore, 40;
    an_undoing_of_what_others_did_is_found: UndoOfOthers, 40;
    an_archived_board_that_takes_changes_is_found: ArchivedTakesAll, 40;
    a_board_in_the_bin_that_is_served_is_found: RoomOutlivesBoard, 40;
}
