//! Why a file cannot be kept or read.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use super::FileHash;

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
    /// The settings name another place than the one where the files are.
    #[error(
        "open the store of files: those of this data directory are in {known}, and the settings \
         name {named}; to move them, take a backup with the settings as they were, and restore it \
         with the new ones while no server runs"
    )]
    Elsewhere {
        /// Where the files are.
        known: String,
        /// Where they are to be.
        named: String,
    },
    /// There is no key for the bucket, or it cannot be used.
    #[error("read the key of the bucket: {0}")]
    Key(String),
    /// The settings of the bucket cannot be used.
    #[error("use the settings of the bucket: {0}")]
    Settings(String),
    /// The bucket does not let this server do what it asks for.
    #[error(
        "use the bucket: it refuses this server's key ({0}); check the access key id, its secret, \
         `s3_region` and the clock of this machine, and that the key may list the bucket, and \
         read, write and delete objects in it"
    )]
    Denied(String),
    /// There is no such bucket.
    #[error("use the bucket: there is none with this name; make it, or correct `s3_bucket`")]
    NoBucket,
    /// The bucket belongs to another data directory.
    #[error(
        "use the bucket: {mark} says that another data directory has its files there; set a \
         `s3_prefix` that nobody else has, or delete that object where the other directory is gone \
         for good"
    )]
    Foreign {
        /// The object that says so.
        mark: String,
    },
    /// The bucket is not the one that the files were put into.
    #[error(
        "use the bucket: {mark} is not there, so it was emptied or another bucket has its name; \
         put its objects back, or restart the server to go on without them"
    )]
    Unmarked {
        /// The object that is missing.
        mark: String,
    },
    /// The store of objects cannot be reached.
    #[error(
        "use the bucket: {0}; check `s3_endpoint`, `s3_ca` and the network, or wait until the store is \
         back"
    )]
    Silent(String),
    /// The store does not do what it is asked for.
    #[error("use the store of files: {0}")]
    Store(object_store::Error),
}

impl FileError {
    /// Whether the store may well do it later, without anybody changing a setting.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Silent(_) | Self::Store(_))
    }
}

impl From<object_store::Error> for FileError {
    fn from(error: object_store::Error) -> Self {
        let mut last: &(dyn Error + 'static) = &error;
        let mut is_silent = false;
        loop {
            let io = last.downcast_ref::<io::Error>();
            let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
            if io.is_some_and(|io| full.contains(&io.kind())) {
                return Self::Full;
            }
            is_silent |= says_nothing(last);
            match last.source() {
                Some(source) => last = source,
                None => break,
            }
        }
        if is_silent {
            return Self::Silent(last.to_string());
        }
        let said = error.to_string();
        let code = code(&said);
        // What stores of several makers say; not every one of them is in the words of Amazon.
        match code {
            "NoSuchBucket" => return Self::NoBucket,
            "XMinioStorageFull" | "QuotaExceeded" | "InsufficientStorage" => return Self::Full,
            _ => {}
        }
        let is_refused = matches!(
            error,
            object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. }
        );
        let told = ["status code: 401", "status code: 403"];
        match is_refused || told.iter().any(|told| said.contains(told)) {
            true => Self::Denied(named(code)),
            false => Self::Store(error),
        }
    }
}

/// The code in the XML of a refusal; empty where there is none.
fn code(said: &str) -> &str {
    let code = said.split_once("<Code>").map(|(_, rest)| rest);
    let code = code.and_then(|rest| rest.split_once("</Code>"));
    code.map_or("", |(code, _)| code)
}

fn named(code: &str) -> String {
    match code {
        "" => "without saying why".to_owned(),
        code => code.to_owned(),
    }
}

#[cfg(feature = "s3")]
fn says_nothing(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<object_store::client::HttpError>()
}

#[cfg(not(feature = "s3"))]
fn says_nothing(_: &(dyn Error + 'static)) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &str) -> FileError {
        let source = said.to_owned().into();
        object_store::Error::Generic {
            store: "S3",
            source,
        }
        .into()
    }

    #[test]
    fn a_refusal_is_told_by_its_code() {
        let refused = |status: &str, code: &str| {
            of(&format!(
                "Server returned non-2xx status code: {status}: <?xml?><Error><Code>{code}</Code></Error>"
            ))
        };
        assert!(matches!(
            refused("404 Not Found", "NoSuchBucket"),
            FileError::NoBucket
        ));
        assert!(matches!(
            refused("507 Insufficient Storage", "XMinioStorageFull"),
            FileError::Full
        ));
        for code in ["InvalidAccessKeyId", "RequestTimeTooSkewed"] {
            let denied = refused("403 Forbidden", code);
            assert!(denied.to_string().contains(code), "{denied}");
            assert!(!denied.may_pass());
        }
        let busy = refused("503 Service Unavailable", "SlowDown");
        assert!(matches!(busy, FileError::Store(_)) && busy.may_pass());
    }
}
