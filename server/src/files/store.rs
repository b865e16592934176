//! Where files are.

use std::collections::HashMap;
use std::io;
use std::path::Path as FsPath;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload};
use sha2::{Digest as _, Sha256};

use super::place::address;
use super::remote::Remote;
use super::{BucketRules, FileError, FileHash};

/// Where files wait that are not whole.
pub(super) const INCOMING: &str = "incoming";
/// Where thumbnails are.
const THUMBNAILS: &str = "thumbnails";
/// Files that are known to be sound. Above it all are forgotten and read again when they are asked for.
const SOUND_MAX: usize = 10_000;

/// A file as it was when its bytes were compared with its name.
type State = (u64, i64, Option<String>);

/// What a store in a bucket has besides its objects.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) remote: Remote,
    /// By which the bucket knows the data directory.
    pub(super) owner: String,
    address: String,
}

impl Bucket {
    /// How people call an object that says whose the bucket is.
    pub(super) fn mark(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }
}

#[derive(Debug)]
struct Inner {
    objects: Arc<dyn ObjectStore>,
    bucket: Option<Bucket>,
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
        Ok(Self::of(Arc::new(objects), None, Self::PART_BYTES))
    }

    /// Files in a directory that is only read; one that is missing has none.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(super) fn existing(dir: &FsPath) -> Result<Self, FileError> {
        let objects: Arc<dyn ObjectStore> = match dir.is_dir() {
            true => Arc::new(LocalFileSystem::new_with_prefix(dir)?),
            false => Arc::new(InMemory::new()),
        };
        Ok(Self::of(objects, None, Self::PART_BYTES))
    }

    /// Files in a bucket, of which nothing is asked. `dir` is where the data directory keeps what it
    /// knows of them.
    ///
    /// # Errors
    /// The key or the settings cannot be used.
    pub(super) fn in_bucket(
        rules: &BucketRules,
        dir: &FsPath,
        owner: String,
    ) -> Result<Self, FileError> {
        let (remote, objects) = Remote::open(rules, dir)?;
        let bucket = Bucket {
            remote,
            owner,
            address: address(&rules.bucket, &rules.prefix),
        };
        Ok(Self::of(objects, Some(bucket), Remote::PART_BYTES))
    }

    /// Files in any store, which takes parts of `part_bytes`.
    fn of(objects: Arc<dyn ObjectStore>, bucket: Option<Bucket>, part_bytes: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                objects,
                bucket,
                part_bytes,
                sound: Mutex::default(),
            }),
        }
    }

    /// Files in memory, for simulations.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self::of(Arc::new(InMemory::new()), None, Self::PART_BYTES)
    }

    pub(super) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.inner.objects
    }

    /// What there is besides objects; `None` where they are not in a bucket.
    pub(super) fn bucket(&self) -> Option<&Bucket> {
        self.inner.bucket.as_ref()
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
        let got = match self.objects().get(&place(hash)).await {
            Ok(got) => got,
            Err(error) => return Err(self.lost(hash, error).await),
        };
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
        match self.objects().head(&place(hash)).await {
            Ok(meta) => Ok(meta),
            Err(error) => Err(self.lost(hash, error).await),
        }
    }

    /// Why a file cannot be read. A bucket that is gone, or is another one, has no file either.
    pub(super) async fn lost(&self, hash: FileHash, error: object_store::Error) -> FileError {
        if !matches!(error, object_store::Error::NotFound { .. }) {
            return error.into();
        }
        match self.ours().await {
            Ok(()) => FileError::Missing(hash),
            Err(error) => error,
        }
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
