//! Where the files of a data directory are.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where the files of a data directory are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FilesPlace {
    /// In the directory itself.
    #[default]
    Directory,
    /// In a bucket of an S3-compatible store.
    Bucket(BucketRules),
}

/// A bucket of an S3-compatible store, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketRules {
    /// Scheme, host and port of the store; Amazon's for the region where it is empty.
    pub endpoint: String,
    /// The name of the bucket.
    pub bucket: String,
    /// The region that requests are signed for.
    pub region: String,
    /// What all keys begin with, without slashes at its ends; empty for nothing.
    pub prefix: String,
    /// Whether the bucket is a part of the name of the host; else it is one of the path.
    pub virtual_hosts: bool,
    /// Where the key is; the environment where there is no such file.
    pub key: Option<PathBuf>,
    /// Certificates that are trusted, in PEM; those that browsers know where there is no such file.
    pub ca: Option<PathBuf>,
    /// How long connecting, an answer, and each pause in its body may take.
    pub timeout: Duration,
}

impl BucketRules {
    /// How long a request may take, unless told otherwise, in milliseconds.
    pub const TIMEOUT_MS: u64 = 30_000;
    /// The largest object that a store copies in one request: no file is larger.
    pub const FILE_MAX_BYTES: u64 = 5 * 1_024 * 1_024 * 1_024;

    /// A bucket at an endpoint, with defaults.
    pub fn new(endpoint: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            bucket: bucket.into(),
            region: "us-east-1".to_owned(),
            prefix: String::new(),
            virtual_hosts: false,
            key: None,
            ca: None,
            timeout: Duration::from_millis(Self::TIMEOUT_MS),
        }
    }
}

impl fmt::Display for BucketRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&address(&self.bucket, &self.prefix))
    }
}

impl fmt::Display for FilesPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("the directory itself"),
            Self::Bucket(rules) => rules.fmt(f),
        }
    }
}

pub(super) fn address(bucket: &str, prefix: &str) -> String {
    match prefix {
        "" => format!("s3://{bucket}"),
        prefix => format!("s3://{bucket}/{prefix}"),
    }
}
