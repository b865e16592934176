//! The key that requests are signed with: from a file, or from the environment.

use std::env;
use std::fs::{self, Metadata};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use serde::Deserialize;

const KEY_ID: &str = "BOARDCAST_S3_ACCESS_KEY_ID";
const SECRET: &str = "BOARDCAST_S3_SECRET_ACCESS_KEY";
const TOKEN: &str = "BOARDCAST_S3_SESSION_TOKEN";

/// When a file was written, and how long it is.
type Version = (Option<SystemTime>, u64);

/// The key of a bucket. A file is read again when it changes; what is wrong with it then is told in the
/// log, and the key before it stays.
#[derive(Debug)]
pub(super) struct Key {
    file: Option<PathBuf>,
    known: Mutex<(Version, Arc<AwsCredential>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl Key {
    /// The key of a file, or of the environment.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn load(file: Option<&Path>) -> Result<Self, String> {
        let (version, key) = match file {
            Some(file) => (version(file), read(file)?),
            None => (Version::default(), from_environment()?),
        };
        Ok(Self {
            file: file.map(Path::to_owned),
            known: Mutex::new((version, Arc::new(key))),
        })
    }
}

#[async_trait]
impl CredentialProvider for Key {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = &self.file else {
            return Ok(Arc::clone(&known.1));
        };
        let version = version(file);
        if version != known.0 {
            known.0 = version;
            match read(file) {
                Ok(key) => known.1 = Arc::new(key),
                Err(error) => tracing::error!(%error, "the key of the bucket stays as it was"),
            }
        }
        Ok(Arc::clone(&known.1))
    }
}

fn version(file: &Path) -> Version {
    let version = |about: Metadata| (about.modified().ok(), about.len());
    fs::metadata(file).map(version).unwrap_or_default()
}

fn read(file: &Path) -> Result<AwsCredential, String> {
    let named = file.display();
    let failed = |error| format!("{named} cannot be read: {error}");
    let mode = fs::metadata(file).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "{named} is open to others (mode {mode:03o}); close it with: chmod 600 {named}"
        ));
    }
    let text = fs::read_to_string(file).map_err(failed)?;
    // What the parser says shows the line, which may be that of the secret.
    let written: Written = toml::from_str(&text).map_err(|_| {
        format!(
            "{named} has another form; it is TOML with `access_key_id`, `secret_access_key` and, \
             where there is one, `session_token`"
        )
    })?;
    checked(AwsCredential {
        key_id: written.access_key_id,
        secret_key: written.secret_access_key,
        token: written.session_token,
    })
}

fn from_environment() -> Result<AwsCredential, String> {
    let text = |name| env::var(name).ok().filter(|text| !text.is_empty());
    let (Some(key_id), Some(secret_key)) = (text(KEY_ID), text(SECRET)) else {
        return Err(format!(
            "there is none; set {KEY_ID} and {SECRET}, or name a file that has it with `s3_key`"
        ));
    };
    checked(AwsCredential {
        key_id,
        secret_key,
        token: text(TOKEN),
    })
}

/// The id and the token go into headers.
fn checked(key: AwsCredential) -> Result<AwsCredential, String> {
    let is_plain =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let texts = [Some(&key.key_id), Some(&key.secret_key), key.token.as_ref()];
    if !texts.into_iter().flatten().all(|text| is_plain(text)) {
        return Err("it is empty, or has spaces or letters that are not ASCII".to_owned());
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key.toml");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        (dir, file)
    }

    #[tokio::test]
    async fn a_key_is_read_again_when_its_file_changes_and_stays_where_that_is_wrong() {
        let (_dir, file) = written("access_key_id = 'a'\nsecret_access_key = 'b'", 0o600);
        let key = Key::load(Some(&file)).unwrap();
        assert_eq!(key.get_credential().await.unwrap().secret_key, "b");
        fs::write(&file, "access_key_id = 'a'\nsecret_access_key = 'longer'").unwrap();
        assert_eq!(key.get_credential().await.unwrap().secret_key, "longer");
        fs::write(&file, "access_key_id = ").unwrap();
        assert_eq!(key.get_credential().await.unwrap().secret_key, "longer");
    }

    #[test]
    fn a_file_that_is_open_or_has_another_form_is_named_and_its_secret_is_not() {
        for (text, mode, expected) in [
            (
                "access_key_id = 'a'\nsecret_access_key = 'hidden'",
                0o640,
                "chmod 600",
            ),
            (
                "access_key_id = 'a'\nsecret_access_key = 'hidden",
                0o600,
                "another form",
            ),
            (
                "access_key_id = ''\nsecret_access_key = 'hidden'",
                0o600,
                "empty",
            ),
        ] {
            let (_dir, file) = written(text, mode);
            let error = Key::load(Some(&file)).unwrap_err();
            assert!(
                error.contains(expected) && !error.contains("hidden"),
                "{error}"
            );
        }
        let (_dir, file) = written("access_key_id = 'a'\nsecret_access_key = 'hidden'", 0o600);
        let key = Key::load(Some(&file)).unwrap();
        assert!(!format!("{key:?}").contains("hidden"), "{key:?}");
    }
}
