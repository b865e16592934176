//! What stands in the place of buckets where this is built without them: there is none.

use std::path::Path as FsPath;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore};

use super::{BucketRules, FileError};

#[derive(Debug)]
pub(super) enum Remote {}

impl Remote {
    pub(super) const PART_BYTES: usize = 0;

    pub(super) fn open(
        _: &BucketRules,
        _: &FsPath,
    ) -> Result<(Self, Arc<dyn ObjectStore>), FileError> {
        let why = "this program was built without buckets; build it with `--features s3`";
        Err(FileError::Settings(why.to_owned()))
    }

    #[expect(clippy::unused_async, reason = "as the one that does something")]
    pub(super) async fn begin(&self, _: &Path) -> Result<Box<dyn MultipartUpload>, FileError> {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "as the one that does something")]
    pub(super) async fn end_uploads(&self) -> Result<(), FileError> {
        match *self {}
    }
}
