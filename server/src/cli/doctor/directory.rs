//! What a data directory needs of the machine.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{StatVfs, major, minor, statvfs};

use super::finding::{Finding, Findings};
use crate::cli::Failure;
use crate::config::Config;
use crate::storage::{DATABASE, LOCK};

const MIB: u64 = 1_024 * 1_024;
/// Below it the next write may be the last.
const FREE_FAULT_BYTES: u64 = 64 * MIB;
/// Below it there is not much time left.
const FREE_WARNING_BYTES: u64 = 1_024 * MIB;
/// Files that are made: attachments, temporary files of imports and backups.
const INODES_FAULT: u64 = 100;
const INODES_WARNING: u64 = 10_000;
/// What a server opens besides sockets: the database many times, and files that are read.
const FILES_BESIDES: u64 = 256;

/// Looks at all of it.
pub(super) fn examine(dir: &Path, findings: &mut Findings) -> Result<(), Failure> {
    let named = dir.display();
    let about = match fs::metadata(dir) {
        Ok(about) if about.is_dir() => about,
        Ok(_) => {
            let change = "name the directory that `serve --data-dir` has";
            return findings.note(
                "directory",
                &Finding::fault(format!("{named} is a file"), change),
            );
        }
        Err(error) => {
            let what = format!("{named} cannot be looked at: {error}");
            let change = "name the directory that `serve --data-dir` has, as its owner or as root";
            return findings.note("directory", &Finding::fault(what, change));
        }
    };
    findings.note("directory", &closed(dir, &about))?;
    findings.note("files", &files(dir, about.uid()))?;
    match statvfs(dir) {
        Ok(found) => {
            let database = fs::metadata(dir.join(DATABASE)).map_or(0, |file| file.len());
            findings.note("disk", &disk(free_bytes(&found), database))?;
            findings.note("inodes", &inodes(found.f_files, found.f_favail))?;
        }
        Err(error) => {
            let what = format!("the disk of {named} cannot be looked at: {error}");
            findings.note("disk", &Finding::skipped(what))?;
        }
    }
    findings.note("descriptors", &descriptors(dir))
}

fn free_bytes(found: &StatVfs) -> u64 {
    found.f_bavail.saturating_mul(found.f_frsize)
}

fn closed(dir: &Path, about: &Metadata) -> Finding {
    let mode = about.permissions().mode() & 0o777;
    let named = dir.display();
    match mode & 0o077 {
        0 => Finding::fine(format!("{named} is open to its owner alone")),
        _ => Finding::fault(
            format!(
                "{named} is open to others (mode {mode:03o}): it holds what sessions are proved by"
            ),
            format!("chmod 700 {named}"),
        ),
    }
}

/// The first file that its server cannot use, or that others can.
fn files(dir: &Path, owner: u32) -> Finding {
    let mut count = 0;
    let listed = match fs::read_dir(dir) {
        Ok(listed) => listed,
        Err(error) => return Finding::skipped(format!("files were not looked at: {error}")),
    };
    for entry in listed.flatten() {
        let Ok(about) = entry.metadata() else {
            continue;
        };
        count += 1;
        let path = entry.path();
        let named = path.display();
        if about.uid() != owner {
            return Finding::fault(
                format!(
                    "{named} belongs to the user {}, its directory to {owner}",
                    about.uid()
                ),
                format!("chown {owner} {named}"),
            );
        }
        // What is below a directory is as closed as the data directory.
        let (needed, closed) = if about.is_dir() {
            (0o700, 0)
        } else {
            (0o600, 0o077)
        };
        let mode = about.permissions().mode() & 0o777;
        if mode & closed != 0 || mode & needed != needed {
            return Finding::fault(
                format!(
                    "{named} has mode {mode:03o}: its owner needs {needed:03o}, others nothing"
                ),
                format!("chmod {needed:03o} {named}"),
            );
        }
    }
    Finding::fine(format!("{count} files belong to the owner alone"))
}

/// The schema is brought up to date behind a backup, which takes as much as the database.
fn disk(free: u64, database: u64) -> Finding {
    let what = format!(
        "{} MiB are free, the database has {} MiB",
        free / MIB,
        database.div_ceil(MIB)
    );
    let change = "free space on the disk, or move the directory to a larger one";
    if free < FREE_FAULT_BYTES {
        return Finding::fault(what, change);
    }
    match free < FREE_WARNING_BYTES.max(database) {
        true => Finding::warning(what, change),
        false => Finding::fine(what),
    }
}

/// Some file systems have no fixed number of inodes, and say 0.
fn inodes(all: u64, free: u64) -> Finding {
    let what = format!("{free} of {all} inodes are free");
    let change = "remove small files on that disk, or make the file system anew with more inodes";
    match (all, free) {
        (0, _) => Finding::fine("the file system has as many inodes as it needs"),
        (_, ..INODES_FAULT) => Finding::fault(what, change),
        (_, ..INODES_WARNING) => Finding::warning(what, change),
        (_, _) => Finding::fine(what),
    }
}

/// How many files the server may open, which the kernel says of the process that holds the lock.
fn descriptors(dir: &Path) -> Finding {
    let Some(process) = holder(&dir.join(LOCK)) else {
        return Finding::skipped("no server runs on the directory whose limits can be looked at");
    };
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap_or_default();
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next());
    match limit {
        Some("unlimited") => Finding::fine("the server may open any number of files"),
        Some(limit) => match limit.parse() {
            Ok(limit) => enough(limit),
            Err(_) => Finding::skipped(format!("the limit of open files is {limit:?}")),
        },
        None => Finding::skipped("the limit of open files was not found"),
    }
}

fn enough(limit: u64) -> Finding {
    let config = Config::in_dir("");
    let sockets = config.connections.limits.total + config.http.connections_max;
    let needed = u64::try_from(sockets).unwrap_or(u64::MAX) + FILES_BESIDES;
    let what = format!("the server may open {limit} files");
    match limit < needed {
        true => Finding::warning(
            format!("{what}; with default limits of connections it may need {needed}"),
            format!(
                "let it open more, systemd: `LimitNOFILE={}`, or lower --max-connections",
                needed.next_power_of_two()
            ),
        ),
        false => Finding::fine(what),
    }
}

/// The process that has locked a file: `/proc/locks` names it by device and inode.
fn holder(lock: &Path) -> Option<u32> {
    let about = fs::metadata(lock).ok()?;
    let (device, inode) = (about.dev(), about.ino());
    let place = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        match fields.as_slice() {
            [_, "FLOCK", _, "WRITE", process, at, ..] if *at == place => process.parse().ok(),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_disk_needs_space_for_a_copy_of_the_database() {
        for (free, database, verdict) in [
            (63 * MIB, 0, Verdict::Fault),
            (64 * MIB, 0, Verdict::Warning),
            (1_024 * MIB, 1_024 * MIB, Verdict::Fine),
            (2_048 * MIB, 3_072 * MIB, Verdict::Warning),
        ] {
            assert_eq!(disk(free, database).verdict, verdict, "{free} {database}");
        }
    }

    #[test]
    fn a_file_system_that_counts_inodes_needs_some() {
        for (all, free, verdict) in [
            (0, 0, Verdict::Fine),
            (1_000_000, 99, Verdict::Fault),
            (1_000_000, 9_999, Verdict::Warning),
            (1_000_000, 10_000, Verdict::Fine),
        ] {
            assert_eq!(inodes(all, free).verdict, verdict, "{all} {free}");
        }
    }

    #[test]
    fn a_server_needs_a_descriptor_for_each_connection() {
        assert_eq!(enough(1_024).verdict, Verdict::Warning);
        assert_eq!(enough(65_536).verdict, Verdict::Fine);
        assert!(enough(1_024).change.contains("LimitNOFILE=32768"));
    }
}
