//! Opening the store of a data directory, wherever its files are.

use std::fs;
use std::io;
use std::path::Path;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};

use super::note::Note;
use super::store::INCOMING;
use super::{BucketRules, FileError, FileStore, FilesPlace};

/// The object that says whose a bucket is: whoever removes files that nothing refers to is to be the
/// only one who refers to any.
const MARK: &str = "boardcast-owner";
/// What is read of it.
const MARK_MAX_BYTES: u64 = 256;

impl FileStore {
    /// The files of a data directory that a server, or who backs it up, uses alone. `dir` is the part
    /// of it that is for files. What a crash has left of files that were not whole is removed. A bucket
    /// that is in use already need not answer; one that is new has to.
    ///
    /// # Errors
    /// The files are elsewhere, the directory cannot be made or read, or the bucket is not there,
    /// somebody else's, or refuses the key.
    pub async fn open(dir: &Path, place: &FilesPlace) -> Result<Self, FileError> {
        let noted = agreed(dir, place)?;
        let FilesPlace::Bucket(rules) = place else {
            return Self::in_dir(dir);
        };
        let (note, is_new) = match noted {
            Some(note) => (note, false),
            None => (next(dir, rules)?, true),
        };
        let store = Self::in_bucket(rules, dir, note.owner)?;
        match store.claim().await {
            Ok(()) if is_new => Note::put_next_in_place(dir)?,
            Ok(()) => {}
            Err(error) if !is_new && error.may_pass() => {
                tracing::error!(bucket = %rules, %error, "files cannot be reached");
                return Ok(store);
            }
            Err(error) => return Err(error),
        }
        if let Err(error) = store.tidy().await {
            tracing::warn!(%error, "what was left of files stays until the next start");
        }
        Ok(store)
    }

    /// The same, to be read and nothing else.
    ///
    /// # Errors
    /// The files are elsewhere or cannot be read.
    pub async fn open_to_read(dir: &Path, place: &FilesPlace) -> Result<Self, FileError> {
        match (agreed(dir, place)?, place) {
            (Some(note), FilesPlace::Bucket(rules)) => {
                let store = Self::in_bucket(rules, dir, note.owner)?;
                store.ours().await?;
                Ok(store)
            }
            // In a bucket that was never used there is nothing yet.
            (_, FilesPlace::Directory | FilesPlace::Bucket(_)) => Self::existing(dir),
        }
    }

    /// A place to put the files of a backup into, wherever those of the data directory are. When it has
    /// them all, [`FileStore::settle`].
    ///
    /// # Errors
    /// As [`FileStore::open`].
    pub async fn open_to_fill(dir: &Path, place: &FilesPlace) -> Result<Self, FileError> {
        let FilesPlace::Bucket(rules) = place else {
            return Self::in_dir(dir);
        };
        let store = Self::in_bucket(rules, dir, next(dir, rules)?.owner)?;
        store.claim().await?;
        Ok(store)
    }

    /// The files of the data directory are in `place` from now on.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn settle(dir: &Path, place: &FilesPlace) -> Result<(), FileError> {
        match place {
            FilesPlace::Directory => Note::remove(dir),
            FilesPlace::Bucket(_) => Note::put_next_in_place(dir),
        }
    }

    /// Makes sure that the bucket is still that of this data directory; a directory always is.
    ///
    /// # Errors
    /// It is not, or cannot be read.
    pub async fn ours(&self) -> Result<(), FileError> {
        let Some(bucket) = self.bucket() else {
            return Ok(());
        };
        let mark = || bucket.mark(MARK);
        match self.owner().await? {
            Some(owner) if owner == bucket.owner => Ok(()),
            Some(_) => Err(FileError::Foreign { mark: mark() }),
            None => Err(FileError::Unmarked { mark: mark() }),
        }
    }

    /// Writes into the bucket whose it is, where it does not say so yet.
    async fn claim(&self) -> Result<(), FileError> {
        let Some(bucket) = self.bucket() else {
            return Ok(());
        };
        // The upkeep lists files; who may not would learn of it an hour later.
        if let Some(first) = self.objects().list(None).next().await {
            first?;
        }
        if self.owner().await?.is_some() {
            return self.ours().await;
        }
        let options = PutOptions::from(PutMode::Create);
        let owner = PutPayload::from(bucket.owner.clone());
        let mark = Key::from(MARK);
        match self.objects().put_opts(&mark, owner, options).await {
            Ok(_) => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => self.ours().await,
            Err(error) => Err(error.into()),
        }
    }

    async fn owner(&self) -> Result<Option<String>, FileError> {
        let got = match self.objects().get(&Key::from(MARK)).await {
            Ok(got) => got,
            Err(error) => {
                let is_missing = matches!(error, object_store::Error::NotFound { .. });
                let error = FileError::from(error);
                // Not a bucket that is missing.
                let is_missing = is_missing && matches!(error, FileError::Store(_));
                return is_missing.then_some(None).ok_or(error);
            }
        };
        if got.meta.size > MARK_MAX_BYTES {
            return Ok(Some(String::new()));
        }
        let owner = got.bytes().await?;
        Ok(Some(String::from_utf8_lossy(&owner).into_owned()))
    }

    /// Removes what is left of files that were not whole.
    async fn tidy(&self) -> Result<(), FileError> {
        if let Some(bucket) = self.bucket() {
            bucket.remote.end_uploads().await?;
        }
        let mut left = self.objects().list(Some(&Key::from(INCOMING)));
        while let Some(found) = left.try_next().await? {
            self.objects().delete(&found.location).await?;
        }
        Ok(())
    }
}

/// The name by which a bucket will know the directory: the one of an attempt before, or a new one. The
/// directory knows it before the bucket does, so that a crash in between leaves none that is nobody's.
fn next(dir: &Path, rules: &BucketRules) -> Result<Note, FileError> {
    let known = [Note::read(dir)?, Note::read_next(dir)?];
    let known = known.into_iter().flatten().find(|note| note.is_of(rules));
    let note = known.unwrap_or_else(|| Note::new(rules));
    note.write_next(dir)?;
    Ok(note)
}

/// What the directory knows of the bucket of its files, where the settings name the same place.
fn agreed(dir: &Path, place: &FilesPlace) -> Result<Option<Note>, FileError> {
    let noted = Note::read(dir)?;
    let agree = |rules: &BucketRules| match &noted {
        Some(note) => note.is_of(rules),
        None => !has_files(dir),
    };
    let agrees = match place {
        FilesPlace::Directory => noted.is_none(),
        FilesPlace::Bucket(rules) => agree(rules),
    };
    if agrees {
        return Ok(noted);
    }
    let known = noted.map_or_else(
        || FilesPlace::Directory.to_string(),
        |note| note.to_string(),
    );
    Err(FileError::Elsewhere {
        known,
        named: place.to_string(),
    })
}

/// Whether files are in a directory; one that cannot be read is asked again by whoever opens it.
fn has_files(dir: &Path) -> bool {
    let folders = fs::read_dir(dir).into_iter().flatten().flatten();
    let has_one =
        |folder: io::Result<fs::ReadDir>| folder.is_ok_and(|mut files| files.next().is_some());
    folders
        .filter(|folder| folder.file_name().len() == 2)
        .any(|folder| has_one(fs::read_dir(folder.path())))
}
