//! Files on their way out.

use std::ops::Range;

use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use object_store::{GetOptions, GetRange, ObjectStore as _};
use sha2::{Digest as _, Sha256};

use super::store::place;
use super::{FileError, FileHash, FileStore};

/// The bytes of a file, piece by piece. Of a whole file the last piece comes only when all bytes are
/// those of its name: whoever gets all of them has the file.
pub struct FileBytes {
    store: FileStore,
    hash: FileHash,
    bytes: BoxStream<'static, object_store::Result<Bytes>>,
    /// Of what was read; `None` for a part of a file.
    digest: Option<Sha256>,
    held: Option<Bytes>,
}

impl std::fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileBytes({})", self.hash)
    }
}

impl FileStore {
    /// The bytes of a file, or those of a range of it, which lies within the file and is not empty.
    ///
    /// # Errors
    /// It is missing, or the store cannot be read.
    pub async fn read(
        &self,
        hash: FileHash,
        range: Option<Range<u64>>,
    ) -> Result<FileBytes, FileError> {
        let digest = range.is_none().then(Sha256::new);
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let got = match self.objects().get_opts(&place(hash), options).await {
            Ok(got) => got,
            Err(error) => return Err(self.lost(hash, error).await),
        };
        Ok(FileBytes {
            store: self.clone(),
            hash,
            bytes: got.into_stream(),
            digest,
            held: None,
        })
    }
}

impl FileBytes {
    /// The next piece; `None` behind the last one.
    ///
    /// # Errors
    /// The store cannot be read, or the file is damaged.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FileError> {
        let Some(digest) = &mut self.digest else {
            return Ok(self.bytes.try_next().await?);
        };
        while let Some(piece) = self.bytes.try_next().await? {
            digest.update(&piece);
            if let Some(held) = self.held.replace(piece) {
                return Ok(Some(held));
            }
        }
        let found = FileHash(std::mem::take(digest).finalize().into());
        self.digest = None;
        if found != self.hash {
            self.store.forget(self.hash);
            tracing::error!(hash = %self.hash, %found, "a file is damaged; its reader was cut off");
            let hash = self.hash;
            return Err(FileError::Damaged { hash, found });
        }
        Ok(self.held.take())
    }
}
