//! Large files on their way into a bucket, part by part.
//!
//! Parts of what does not end take space that no list of objects shows, so each upload is noted in the
//! data directory for as long as it is under way, and a start ends those that a crash has left.

use std::io;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path;
use object_store::{Error, MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use serde::{Deserialize, Serialize};
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

use crate::files::FileError;

/// What a start needs to end an upload.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    place: String,
    id: String,
}

/// An upload of which parts follow each other.
#[derive(Debug)]
pub(super) struct Upload {
    store: AmazonS3,
    place: Path,
    id: String,
    parts: Arc<Mutex<Vec<PartId>>>,
    begun: usize,
    note: PathBuf,
}

impl Upload {
    /// Begins an upload, with a note in `dir`.
    pub(super) async fn begin(
        store: &AmazonS3,
        place: Path,
        dir: &FsPath,
    ) -> Result<Self, FileError> {
        let id = store.create_multipart(&place).await?;
        let mut upload = Self {
            store: store.clone(),
            note: dir.join(place.filename().unwrap_or_default()),
            place,
            id,
            parts: Arc::default(),
            begun: 0,
        };
        if let Err(source) = upload.write_note().await {
            upload.abort().await?;
            let dir = upload.note;
            return Err(FileError::Directory { dir, source });
        }
        Ok(upload)
    }

    async fn write_note(&self) -> io::Result<()> {
        let noted = Noted {
            place: self.place.to_string(),
            id: self.id.clone(),
        };
        let mut file = fs::File::create(&self.note).await?;
        file.write_all(&serde_json::to_vec(&noted)?).await?;
        file.sync_all().await
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let index = self.begun;
        self.begun += 1;
        let (store, parts) = (self.store.clone(), Arc::clone(&self.parts));
        let (place, id) = (self.place.clone(), self.id.clone());
        Box::pin(async move {
            let part = store.put_part(&place, &id, index, data).await?;
            let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.push(part);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let parts = {
            let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *parts)
        };
        let put = self
            .store
            .complete_multipart(&self.place, &self.id, parts)
            .await?;
        remove(&self.note).await;
        Ok(put)
    }

    async fn abort(&mut self) -> Result<()> {
        end(&self.store, &self.place, &self.id).await?;
        remove(&self.note).await;
        Ok(())
    }
}

/// Ends all uploads that are noted in `dir`.
pub(super) async fn end_all(store: &AmazonS3, dir: &FsPath) -> Result<(), FileError> {
    let failed = |source| FileError::Directory {
        dir: dir.to_owned(),
        source,
    };
    let mut notes = fs::read_dir(dir).await.map_err(failed)?;
    while let Some(note) = notes.next_entry().await.map_err(failed)? {
        let bytes = fs::read(note.path()).await.map_err(failed)?;
        // One that is cut off was never used: its parts come behind it.
        if let Ok(Noted { place, id }) = serde_json::from_slice(&bytes) {
            end(store, &Path::from(place), &id).await?;
        }
        remove(&note.path()).await;
    }
    Ok(())
}

/// One that has ended already is ended.
async fn end(store: &AmazonS3, place: &Path, id: &String) -> Result<()> {
    match store.abort_multipart(place, id).await {
        Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn remove(note: &FsPath) {
    if let Err(error) = fs::remove_file(note).await {
        tracing::warn!(%error, note = %note.display(), "the note of an upload stays");
    }
}
