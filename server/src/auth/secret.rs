//! The secret that signs tokens: made at the first start, kept in the data directory, and beside it the
//! one before, whose tokens are accepted until it is taken away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Length of the secret: the block that HMAC-SHA-256 puts out, as RFC 7518 section 3.2 asks.
const SECRET_BYTES: usize = 32;
const FILE_NAME: &str = "secret.key";
const FILE_BEFORE: &str = "secret.before.key";

/// The secret that signs tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; SECRET_BYTES]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file or its directory cannot be read or written.
    #[error("failed to {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// There is one before already.
    #[error(
        "{path} is there from the rotation before, and its tokens would end; retire it first: \
         boardcast key retire"
    )]
    Before {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to retire.
    #[error("there is no {path}; no key before the present one is accepted")]
    NoneBefore {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read or write the file.
    #[error(
        "the secret {path} is open to others (mode {mode:03o}); close it with: chmod 600 {path}"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold a secret.
    #[error(
        "the secret {path} has {bytes} bytes instead of 32; restore it, or delete it to have a new \
         one made, which ends all tokens"
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
}

impl Secret {
    /// The secret of a data directory, made if there is none.
    ///
    /// Two processes that make one at the same time end up with the same.
    ///
    /// # Errors
    /// The file cannot be read or made, is open to others, or does not hold a secret.
    pub fn load_or_make(data_dir: &Path) -> Result<Self, SecretError> {
        match Self::load(data_dir) {
            Err(error) if error.is_not_found() => {
                make(data_dir, &data_dir.join(FILE_NAME))?;
                Self::load(data_dir)
            }
            loaded => loaded,
        }
    }

    /// The secret of a data directory that has one.
    ///
    /// # Errors
    /// The file cannot be read, is open to others, or does not hold a secret.
    pub fn load(data_dir: &Path) -> Result<Self, SecretError> {
        Self::read(&data_dir.join(FILE_NAME))
    }

    /// The secret before the present one, where it is still accepted.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_before(data_dir: &Path) -> Result<Option<Self>, SecretError> {
        match Self::read(&data_dir.join(FILE_BEFORE)) {
            Err(error) if error.is_not_found() => Ok(None),
            read => read.map(Some),
        }
    }

    /// Makes another secret; the present one becomes the one before. At no moment is there none.
    ///
    /// # Errors
    /// There is one before already, or a file cannot be read or made.
    pub fn rotate(data_dir: &Path) -> Result<(), SecretError> {
        Self::load(data_dir)?;
        let (path, before) = (data_dir.join(FILE_NAME), data_dir.join(FILE_BEFORE));
        let failed = |source| SecretError::Io {
            action: "write",
            path: before.clone(),
            source,
        };
        match fs::hard_link(&path, &before) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(SecretError::Before { path: before });
            }
            linked => linked.map_err(failed)?,
        }
        let draft = data_dir.join(format!(".{FILE_NAME}.{}", rand::random::<u64>()));
        let written = write_draft(&draft).and_then(|()| fs::rename(&draft, &path));
        if let Err(source) = written {
            // Without another secret, the present one is not the one before.
            let _ = fs::remove_file(&draft);
            let _ = fs::remove_file(&before);
            return Err(failed(source));
        }
        sync(data_dir).map_err(failed)
    }

    /// Takes the secret before the present one away, and with it the tokens that it signed.
    ///
    /// # Errors
    /// There is none, or it cannot be removed.
    pub fn retire(data_dir: &Path) -> Result<(), SecretError> {
        let path = data_dir.join(FILE_BEFORE);
        let failed = |source| SecretError::Io {
            action: "remove",
            path: path.clone(),
            source,
        };
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SecretError::NoneBefore { path })
            }
            removed => removed.and_then(|()| sync(data_dir)).map_err(failed),
        }
    }

    /// A secret that everybody knows.
    #[cfg(test)]
    pub(crate) fn of_tests() -> Self {
        Self([7; SECRET_BYTES])
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn read(path: &Path) -> Result<Self, SecretError> {
        let failed = |source| SecretError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretError::Open {
                path: path.to_owned(),
                mode,
            });
        }
        let mut bytes = Vec::new();
        Read::take(&file, SECRET_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        <[u8; SECRET_BYTES]>::try_from(bytes.as_slice())
            .map(Self)
            .map_err(|_| SecretError::Length {
                path: path.to_owned(),
                bytes: bytes.len(),
            })
    }
}

impl SecretError {
    fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all())
}

/// Writes a new secret under another name first, so that nobody reads half of it.
fn make(data_dir: &Path, path: &Path) -> Result<(), SecretError> {
    let failed = |source| SecretError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    };
    let draft = data_dir.join(format!(".{FILE_NAME}.{}", rand::random::<u64>()));
    let written = write_draft(&draft).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let removed = fs::remove_file(&draft);
    written.and(removed).map_err(failed)?;
    sync(data_dir).map_err(failed)
}

fn write_draft(draft: &Path) -> io::Result<()> {
    let mut secret = [0_u8; SECRET_BYTES];
    rand::fill(&mut secret);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(&secret)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let made = Secret::load_or_make(dir.path()).unwrap();
        let again = Secret::load_or_make(dir.path()).unwrap();
        assert_eq!(made.bytes(), again.bytes());
        let path = dir.path().join(FILE_NAME);
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_rotation_keeps_the_secret_before_until_it_is_retired() {
        let dir = tempfile::tempdir().unwrap();
        let first = Secret::load_or_make(dir.path()).unwrap();
        assert!(Secret::retire(dir.path()).is_err(), "there is none before");
        Secret::rotate(dir.path()).unwrap();
        let second = Secret::load(dir.path()).unwrap();
        assert!(second != first);
        assert!(Secret::load_before(dir.path()).unwrap() == Some(first));
        let error = Secret::rotate(dir.path()).unwrap_err().to_string();
        assert!(error.contains("boardcast key retire"), "{error}");
        assert!(
            Secret::load(dir.path()).unwrap() == second,
            "it is as it was"
        );
        Secret::retire(dir.path()).unwrap();
        assert!(Secret::load_before(dir.path()).unwrap().is_none());
        let path = dir.path().join(FILE_NAME);
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        Secret::load_or_make(dir.path()).unwrap();
        let path = dir.path().join(FILE_NAME);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = Secret::load_or_make(dir.path()).unwrap_err().to_string();
        assert!(error.contains("mode 640"), "{error}");
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_file_of_another_length_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        Secret::load_or_make(dir.path()).unwrap();
        fs::write(dir.path().join(FILE_NAME), b"short").unwrap();
        let error = Secret::load_or_make(dir.path()).unwrap_err().to_string();
        assert!(error.contains("5 bytes instead of 32"), "{error}");
    }
}
