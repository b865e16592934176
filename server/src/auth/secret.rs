//! The secret that signs tokens: made at the first start, kept in the data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Length of the secret: the block that HMAC-SHA-256 puts out, as RFC 7518 section 3.2 asks.
const SECRET_BYTES: usize = 32;
const FILE_NAME: &str = "secret.key";

/// The secret that signs tokens.
#[derive(Clone)]
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
        let path = data_dir.join(FILE_NAME);
        match Self::load(&path) {
            Err(SecretError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                make(data_dir, &path)?;
                Self::load(&path)
            }
            loaded => loaded,
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

    fn load(path: &Path) -> Result<Self, SecretError> {
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
    File::open(data_dir)
        .and_then(|dir| dir.sync_all())
        .map_err(failed)
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
