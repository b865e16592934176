//! Files of attachments: each is there, whole, and counted.

use futures::TryStreamExt as _;
use sqlx::Row as _;

use super::report::Invariant;
use super::{Check, CheckError};
use crate::files::{FileError, FileHash};
use crate::storage::attachments::hash;
use crate::storage::{StorageError, packed};

/// Files that are read from the database at a time.
const PAGE: i64 = 256;

const FILES: &str = "SELECT hash, bytes FROM files WHERE hash > ? ORDER BY hash LIMIT ?";
const TOTALS: &str = "SELECT t.files, t.bytes, (SELECT count(*) FROM files), \
     (SELECT coalesce(sum(bytes), 0) FROM files) FROM file_totals AS t";
const SIZES: &str = "SELECT a.board, a.attachment, a.bytes, f.bytes FROM attachments AS a \
     JOIN files AS f ON f.hash = a.hash WHERE a.bytes <> f.bytes";

impl Check<'_> {
    /// Checks the files of the store, or those inside a backup; of a database without either only what
    /// it says of them.
    pub(super) async fn files(&mut self) -> Result<(), CheckError> {
        self.totals().await?;
        self.sizes().await?;
        let is_packed = packed::is_packed(self.conn).await?;
        if self.files.is_none() && !is_packed {
            return Ok(());
        }
        let mut last = Vec::new();
        loop {
            let rows = sqlx::query(FILES)
                .bind(&last)
                .bind(PAGE)
                .fetch_all(&mut *self.conn)
                .await?;
            for row in &rows {
                self.watch()?;
                let (name, bytes) = (hash(row, 0)?, row.try_get::<i64, _>(1)?.cast_unsigned());
                last = name.0.to_vec();
                self.report.files += 1;
                self.file(name, bytes).await?;
            }
            if rows.is_empty() {
                return Ok(());
            }
        }
    }

    async fn file(&mut self, name: FileHash, bytes: u64) -> Result<(), CheckError> {
        let found = match &self.files {
            Some(store) => match store.sound(name).await {
                Ok(()) => {
                    let size = store.size(name).await;
                    size.map(|size| (size != bytes).then(|| format!("it has {size} bytes")))
                }
                Err(error) => Err(error),
            },
            None => match packed::hash_packed(self.conn, name).await? {
                Some(found) if found == name => Ok(None),
                Some(found) => Err(FileError::Damaged { hash: name, found }),
                None => Err(FileError::Missing(name)),
            },
        };
        let found = match found {
            Ok(found) => found,
            Err(FileError::Missing(_)) => Some("it is missing".to_owned()),
            Err(FileError::Damaged { found, .. }) => {
                Some(format!("its bytes are those of {found}"))
            }
            Err(error) => return Err(StorageError::Files(error).into()),
        };
        if let Some(found) = found {
            self.report.add(
                Invariant::FilesWhole,
                None,
                format_args!("the file {name}: {found}"),
                format_args!("{bytes} bytes with that hash"),
            );
        }
        Ok(())
    }

    async fn totals(&mut self) -> Result<(), CheckError> {
        let row = sqlx::query(TOTALS).fetch_one(&mut *self.conn).await?;
        let number = |column| row.try_get::<i64, _>(column);
        let (told, counted) = ((number(0)?, number(1)?), (number(2)?, number(3)?));
        if told != counted {
            self.report.add(
                Invariant::FilesCounted,
                None,
                format_args!("{} files with {} bytes", told.0, told.1),
                format_args!("{} files with {} bytes", counted.0, counted.1),
            );
        }
        Ok(())
    }

    async fn sizes(&mut self) -> Result<(), CheckError> {
        let mut rows = sqlx::query(SIZES).fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let (board, attachment): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            let (told, bytes): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
            self.report.add(
                Invariant::FilesCounted,
                Some(board),
                format_args!("the attachment {attachment} counts as {told} bytes"),
                format_args!("{bytes} bytes"),
            );
        }
        Ok(())
    }
}
