//! Buckets of S3-compatible stores.

mod client;
mod key;
mod upload;

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, MultipartUpload, ObjectStore, RetryConfig};

use self::client::Connector;
use self::key::Key;
use self::upload::Upload;
use super::{BucketRules, FileError};

/// Attempts behind the first one, of what a store does not do or answer. They end also when the time
/// of one request is over.
const RETRIES: usize = 3;
const BACKOFF: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// A bucket, below its prefix.
#[derive(Debug)]
pub(super) struct Remote {
    store: AmazonS3,
    prefix: Path,
    /// Holds a note of each upload that is under way.
    uploads: PathBuf,
}

impl Remote {
    /// Bytes of a part of a large file: the smallest that stores take, of which each upload has one in
    /// memory. A smaller file is one request.
    pub(super) const PART_BYTES: usize = 5 * 1_024 * 1_024;

    /// Opens a bucket, without asking anything of it. `dir` keeps notes of uploads.
    pub(super) fn open(
        rules: &BucketRules,
        dir: &FsPath,
    ) -> Result<(Self, Arc<dyn ObjectStore>), FileError> {
        let connector = Connector::new(rules.ca.as_deref(), rules.timeout);
        let connector = connector.map_err(FileError::Settings)?;
        let key = Key::load(rules.key.as_deref()).map_err(FileError::Key)?;
        let builder = AmazonS3Builder::new()
            .with_bucket_name(&rules.bucket)
            .with_region(&rules.region)
            .with_virtual_hosted_style_request(rules.virtual_hosts)
            // Settings have decided where that may be.
            .with_allow_http(true)
            // Not every store has the other kind.
            .with_disable_bulk_delete(true)
            .with_credentials(Arc::new(key))
            .with_http_connector(connector)
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: BACKOFF,
                    max_backoff: BACKOFF_MAX,
                    base: 2.0,
                },
                max_retries: RETRIES,
                retry_timeout: rules.timeout,
            });
        let builder = match endpoint(rules) {
            Some(endpoint) => builder.with_endpoint(endpoint),
            None => builder,
        };
        let store = builder.build();
        let store = store.map_err(|error| FileError::Settings(error.to_string()))?;
        let uploads = dir.join("uploads");
        std::fs::create_dir_all(&uploads).map_err(|source| FileError::Directory {
            dir: uploads.clone(),
            source,
        })?;
        let prefix = Path::from(rules.prefix.as_str());
        let objects = Arc::new(PrefixStore::new(store.clone(), prefix.clone()));
        let remote = Self {
            store,
            prefix,
            uploads,
        };
        Ok((remote, objects))
    }

    /// Begins a large file at a place below the prefix.
    pub(super) async fn begin(&self, place: &Path) -> Result<Box<dyn MultipartUpload>, FileError> {
        let place: Path = self.prefix.parts().chain(place.parts()).collect();
        let upload = Upload::begin(&self.store, place, &self.uploads).await?;
        Ok(Box::new(upload))
    }

    /// Ends uploads that a crash has left: their parts take space that no list shows.
    pub(super) async fn end_uploads(&self) -> Result<(), FileError> {
        upload::end_all(&self.store, &self.uploads).await
    }
}

/// Where a bucket is, as the store wants to be told: with its name where that is a part of the host.
fn endpoint(rules: &BucketRules) -> Option<String> {
    let (scheme, host) = rules.endpoint.split_once("://")?;
    let host = host.trim_end_matches('/');
    Some(match rules.virtual_hosts {
        true => format!("{scheme}://{}.{host}", rules.bucket),
        false => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_in_the_path_or_in_the_host() {
        let mut rules = BucketRules::new("https://s3.example:9000/", "plans");
        assert_eq!(endpoint(&rules).unwrap(), "https://s3.example:9000");
        rules.virtual_hosts = true;
        assert_eq!(endpoint(&rules).unwrap(), "https://plans.s3.example:9000");
        rules.endpoint.clear();
        assert_eq!(endpoint(&rules), None);
    }
}
