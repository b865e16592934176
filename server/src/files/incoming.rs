//! Files on their way in.

use bytes::{Bytes, BytesMut};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload};
use sha2::{Digest as _, Sha256};

use super::store::{INCOMING, place};
use super::{FileError, FileHash, FileKind, FileStore};
use crate::chance;

/// A file that is being received. What is not [finished](Incoming::finish) is dropped with it, at the
/// latest with the next start.
#[derive(Debug)]
pub struct Incoming {
    store: FileStore,
    place: Path,
    upload: Option<Box<dyn MultipartUpload>>,
    digest: Sha256,
    bytes: u64,
    head: BytesMut,
    part: BytesMut,
}

/// A file that is whole: synced under a name of its own, or in memory where it is small and goes into a
/// bucket.
#[derive(Debug)]
pub struct Received {
    store: FileStore,
    place: Option<Path>,
    in_memory: Option<Bytes>,
    /// The hash of its bytes.
    pub hash: FileHash,
    /// How many there are.
    pub bytes: u64,
    /// What it is.
    pub kind: FileKind,
}

impl FileStore {
    /// Begins to receive a file.
    ///
    /// # Errors
    /// The store does not take it.
    pub async fn receive(&self) -> Result<Incoming, FileError> {
        let name = format!(
            "{:016x}{:016x}",
            chance::up_to(u64::MAX),
            chance::up_to(u64::MAX)
        );
        let place = Path::from_iter([INCOMING, &name]);
        // Into a bucket, a file that is no larger than a part is sent at once when it is whole.
        let upload = match self.bucket() {
            None => Some(self.objects().put_multipart(&place).await?),
            Some(_) => None,
        };
        Ok(Incoming {
            store: self.clone(),
            place,
            upload,
            digest: Sha256::new(),
            bytes: 0,
            head: BytesMut::with_capacity(FileKind::HEAD_BYTES),
            part: BytesMut::new(),
        })
    }
}

impl Incoming {
    /// Takes further bytes. At most a part and what comes with one call is in memory.
    ///
    /// # Errors
    /// The store is full or does not take them.
    pub async fn write(&mut self, data: &Bytes) -> Result<(), FileError> {
        self.bytes += data.len() as u64;
        self.digest.update(data);
        let lacks = FileKind::HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend_from_slice(&data[..lacks.min(data.len())]);
        self.part.extend_from_slice(data);
        while self.part.len() >= self.store.part_bytes() {
            let part = self.part.split_to(self.store.part_bytes()).freeze();
            self.put(part).await?;
        }
        Ok(())
    }

    /// The file is whole.
    ///
    /// # Errors
    /// The store is full or does not take it.
    pub async fn finish(mut self) -> Result<Received, FileError> {
        let last = self.part.split().freeze();
        let in_memory = match self.upload {
            None => Some(last),
            Some(_) if last.is_empty() => None,
            Some(_) => {
                self.put(last).await?;
                None
            }
        };
        if let Some(upload) = &mut self.upload {
            upload.complete().await?;
        }
        let place = self.upload.take().map(|_| self.place.clone());
        Ok(Received {
            store: self.store.clone(),
            place,
            in_memory,
            hash: FileHash(std::mem::take(&mut self.digest).finalize().into()),
            bytes: self.bytes,
            kind: FileKind::of(&self.head),
        })
    }

    async fn put(&mut self, part: Bytes) -> Result<(), FileError> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => {
                let Some(bucket) = self.store.bucket() else {
                    return Ok(());
                };
                none.insert(bucket.remote.begin(&self.place).await?)
            }
        };
        upload.put_part(PutPayload::from_bytes(part)).await?;
        Ok(())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let (Some(mut upload), Ok(runtime)) =
            (self.upload.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = upload.abort().await {
                tracing::warn!(%error, "a part of a file stays in the store until the next start");
            }
        });
    }
}

impl Received {
    /// Gives the file its name, in the place of one with the same bytes.
    ///
    /// # Errors
    /// The store does not do it.
    pub async fn keep(mut self) -> Result<(), FileError> {
        let to = place(self.hash);
        if let Some(bytes) = self.in_memory.take() {
            let bytes = PutPayload::from_bytes(bytes);
            self.store.objects().put(&to, bytes).await?;
        }
        if let Some(from) = &self.place {
            self.store.objects().rename(from, &to).await?;
        }
        self.place = None;
        // One that was damaged is sound again.
        self.store.forget(self.hash);
        Ok(())
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        let (Some(place), Ok(runtime)) = (self.place.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let store = self.store.clone();
        runtime.spawn(async move {
            if let Err(error) = store.objects().delete(&place).await {
                tracing::warn!(%error, "a file that nobody wants stays until the next start");
            }
        });
    }
}
