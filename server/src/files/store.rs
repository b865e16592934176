//! Where files are.

use std::collections::HashMap;
use std::io;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload};
use sha2::{Digest as _, Sha256};

use super::FileHash;

/// Where files wait that are not whole.
pub(super) const INCOMING: &str = "incoming";
/// Where thumbnails are.
const THUMBNAILS: &str = "thumbnails";
/// Files that are known to be sound. Above it all are forgotten and read again when they are asked for.
const SOUND_MAX: usize = 10_000;

/// Why a file cannot be kept or read. The message fits after "failed to" and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("read the file {0}: it is not in the store; put it back from a backup")]
    Missing(FileHash),
    /// The bytes are not those of the name.
    #[error(
        "read the file {hash}: it is damaged, its bytes are those of {found}; put it back from a backup"
    )]
    Damaged {
        /// The file.
        hash: FileHash,
        /// The hash of what is there.
        found: FileHash,
    },
    /// There is no space for it.
    #[error("keep a file: the disk of the store is full; make space there")]
    Full,
    /// The directory cannot be made.
    #[error("open the store of files {}: {source}; give this user the right to write there", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The store does not do what it is asked for.
    #[error("use the store of files: {0}")]
    Store(object_store::Error),
}

impl From<object_store::Error> for FileError {
    fn from(error: object_store::Error) -> Self {
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(cause) = source {
            let io = cause.downcast_ref::<io::Error>();
            let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
            if io.is_some_and(|io| full.contains(&io.kind())) {
                return Self::Full;
            }
            source = cause.source();
        }
        Self::Store(error)
    }
}

/// A file as it was when its bytes were compared with its name.
type State = (u64, i64, Option<String>);

#[derive(Debug)]
struct Inner {
    objects: Arc<dyn ObjectStore>,
    part_bytes: usize,
    sound: Mutex<HashMap<FileHash, State>>,
}

/// The store of files. Clones are the same store.
#[derive(Clone, Debug)]
pub struct FileStore {
    inner: Arc<Inner>,
}

impl FileStore {
    /// Bytes of a file that are written to a directory at a time.
    const PART_BYTES: usize = 256 * 1_024;

    /// Files in a directory, which is made where it is missing. What a crash has left of files that
    /// were not whole is removed: nobody else uses the directory.
    ///
    /// # Errors
    /// The directory cannot be made or read.
    pub fn in_dir(dir: &FsPath) -> Result<Self, FileError> {
        let failed = |source| FileError::Directory {
            dir: dir.to_owned(),
            source,
        };
        let incoming = dir.join(INCOMING);
        match std::fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        std::fs::create_dir_all(incoming).map_err(failed)?;
        let objects = LocalFileSystem::new_with_prefix(dir)?.with_fsync(true);
        Ok(Self::of(Arc::new(objects), Self::PART_BYTES))
    }

    /// Files in a directory that is only read; one that is missing has none.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn existing(dir: &FsPath) -> Result<Self, FileError> {
        let objects: Arc<dyn ObjectStore> = match dir.is_dir() {
            true => Arc::new(LocalFileSystem::new_with_prefix(dir)?),
            false => Arc::new(InMemory::new()),
        };
        Ok(Self::of(objects, Self::PART_BYTES))
    }

    /// Files in any store, which takes parts of `part_bytes`.
    pub(crate) fn of(objects: Arc<dyn ObjectStore>, part_bytes: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                objects,
                part_bytes,
                sound: Mutex::default(),
            }),
        }
    }

    /// Files in memory, for simulations.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self::of(Arc::new(InMemory::new()), Self::PART_BYTES)
    }

    pub(super) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.inner.objects
    }

    pub(super) fn part_bytes(&self) -> usize {
        self.inner.part_bytes
    }

    /// Makes sure that a file is there and that its bytes are those of its name. They are read once
    /// for as long as the process lives and the file is not written again.
    ///
    /// # Errors
    /// It is missing or damaged, or the store cannot be read.
    pub async fn sound(&self, hash: FileHash) -> Result<(), FileError> {
        let state = state(&self.head(hash).await?);
        if self.known().get(&hash) == Some(&state) {
            return Ok(());
        }
        let got = self.objects().get(&place(hash)).await;
        let got = got.map_err(|error| missing(hash, error))?;
        let state = self::state(&got.meta);
        let mut bytes = got.into_stream();
        let mut digest = Sha256::new();
        while let Some(chunk) = bytes.try_next().await? {
            digest.update(&chunk);
        }
        let found = FileHash(digest.finalize().into());
        if found != hash {
            tracing::error!(%hash, %found, "a file is damaged");
            return Err(FileError::Damaged { hash, found });
        }
        let mut known = self.known();
        if known.len() >= SOUND_MAX {
            known.clear();
        }
        known.insert(hash, state);
        Ok(())
    }

    /// Its size in bytes.
    ///
    /// # Errors
    /// It is missing, or the store cannot be read.
    pub async fn size(&self, hash: FileHash) -> Result<u64, FileError> {
        self.head(hash).await.map(|meta| meta.size)
    }

    /// Removes a file and its thumbnail; one that is not there is removed.
    ///
    /// # Errors
    /// The store does not remove it.
    pub async fn remove(&self, hash: FileHash) -> Result<(), FileError> {
        self.forget(hash);
        for place in [thumbnail(hash), place(hash)] {
            match self.objects().delete(&place).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The names of all files, in any order.
    pub fn all(&self) -> BoxStream<'static, Result<FileHash, FileError>> {
        let objects = self.objects().list(None);
        let named = objects.try_filter_map(async |meta| {
            let mut parts = meta.location.parts();
            let (folder, name) = (parts.next(), parts.next());
            let name = name.filter(|_| parts.next().is_none());
            let hash = name.and_then(|name| name.as_ref().parse::<FileHash>().ok());
            let is_file = |hash: &FileHash| {
                folder.as_ref().map(AsRef::as_ref) == Some(&hash.to_string()[..2])
            };
            Ok(hash.filter(is_file))
        });
        named.map_err(FileError::from).boxed()
    }

    /// The thumbnail that was kept of a file; `None` where there is none, or it is damaged.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn thumbnail(&self, hash: FileHash) -> Result<Option<Bytes>, FileError> {
        let got = match self.objects().get(&thumbnail(hash)).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let bytes = got.bytes().await?;
        let Some((digest, _)) = bytes.split_first_chunk::<32>() else {
            return Ok(None);
        };
        let digest = *digest;
        let image = bytes.slice(digest.len()..);
        let whole = Sha256::digest(&image)[..] == digest;
        Ok(whole.then_some(image))
    }

    /// Keeps the thumbnail of a file, behind a hash of its own.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn put_thumbnail(&self, hash: FileHash, image: Bytes) -> Result<(), FileError> {
        let digest = Bytes::copy_from_slice(&Sha256::digest(&image));
        let payload: PutPayload = [digest, image].into_iter().collect();
        self.objects().put(&thumbnail(hash), payload).await?;
        Ok(())
    }

    /// It is read again before it is called sound.
    pub(super) fn forget(&self, hash: FileHash) {
        self.known().remove(&hash);
    }

    async fn head(&self, hash: FileHash) -> Result<ObjectMeta, FileError> {
        let head = self.objects().head(&place(hash)).await;
        head.map_err(|error| missing(hash, error))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<FileHash, State>> {
        self.inner
            .sound
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn state(meta: &ObjectMeta) -> State {
    let modified = meta.last_modified.timestamp_micros();
    (meta.size, modified, meta.e_tag.clone())
}

/// Where a file is: a directory holds a part of them only.
pub(super) fn place(hash: FileHash) -> Path {
    let name = hash.to_string();
    Path::from_iter([&name[..2], &name])
}

fn thumbnail(hash: FileHash) -> Path {
    let name = hash.to_string();
    Path::from_iter([THUMBNAILS, &name[..2], &name])
}

pub(super) fn missing(hash: FileHash, error: object_store::Error) -> FileError {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return FileError::Missing(hash);
    }
    error.into()
}
