//! Looks after the keys of a server: files that change, and a set of keys behind a URL.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::key_set::{KeySetUrl, fetch};
use super::keys::{Keys, Others, OutsideKey};
use super::secret::{Secret, SecretError};
use super::token::Tokens;
use crate::reload::{Reload, read_small};

/// Largest file of a key.
const FILE_MAX_BYTES: u64 = 64 * 1_024;
/// Those who wait for a key that is not known; further ones are refused at once.
pub(super) const WAITING_MAX: usize = 64;

/// Which tokens are accepted, besides those of the server.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// A public key in PEM.
    pub key: Option<PathBuf>,
    /// A set of public keys.
    pub key_set: Option<KeySetUrl>,
    /// For whom their tokens must be: one of the `aud` of each. Where it is `None`, tokens that are for
    /// somebody are refused.
    pub audience: Option<String>,
    /// How often files are looked at.
    pub look_every_ms: u64,
    /// How often files are looked at for a token whose signature no key fits, at most.
    pub look_again_ms: u64,
    /// How often the set is fetched.
    pub fetch_every_ms: u64,
    /// How often it is fetched for a token whose key is not known, at most.
    pub fetch_again_ms: u64,
    /// For how long the keys of a set are accepted that cannot be fetched any more.
    pub keep_ms: u64,
}

impl Default for TokenRules {
    fn default() -> Self {
        Self {
            key: None,
            key_set: None,
            audience: None,
            look_every_ms: 10_000,
            look_again_ms: 1_000,
            fetch_every_ms: 10 * 60 * 1_000,
            fetch_again_ms: 60_000,
            keep_ms: 24 * 60 * 60 * 1_000,
        }
    }
}

/// Why the keys of a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The server's own.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The public key of somebody else.
    #[error("the key {path} of `token_key` cannot be used: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// What somebody waits for whose token cannot be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Another key of the server.
    Own,
    /// Another key of others.
    Others,
}

/// Somebody who waits, until it is dropped or answered.
pub(super) type Waiting = (Missing, oneshot::Sender<()>);

/// Looks after the keys.
#[derive(Debug)]
pub struct Keeper {
    dir: PathBuf,
    rules: TokenRules,
    tokens: Tokens,
    asks: mpsc::Receiver<Waiting>,
    files: Files,
    /// What is wrong with the files, which is told once.
    fault: String,
    /// Keys of the set.
    set: Vec<OutsideKey>,
    looked: Instant,
    /// When the set was asked for last, and when it was there last.
    asked: Option<Instant>,
    fetched: Instant,
}

/// What the files hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Files {
    present: Secret,
    before: Option<Secret>,
    public: Option<Vec<u8>>,
}

impl Keeper {
    /// The tokens of a data directory, whose key is made where there is none, and who looks after its
    /// keys.
    ///
    /// # Errors
    /// A file cannot be read or used.
    pub fn load(dir: &Path, rules: TokenRules) -> Result<(Tokens, Self), KeyError> {
        Secret::load_or_make(dir)?;
        let files = read(dir, &rules)?;
        let (asking, asks) = mpsc::channel(WAITING_MAX);
        let tokens = Tokens::kept(files.keys(&rules, &[])?, asking);
        let now = Instant::now();
        let keeper = Self {
            dir: dir.to_owned(),
            rules,
            tokens: tokens.clone(),
            asks,
            files,
            fault: String::new(),
            set: Vec::new(),
            looked: now,
            asked: None,
            fetched: now,
        };
        Ok((tokens, keeper))
    }

    /// Looks at files and fetches the set now and then, when `reload` asks, and for who waits, until
    /// `stop`.
    pub async fn keep(mut self, reload: Reload, stop: CancellationToken) {
        let mut reloads = reload.asked();
        self.fetch().await;
        loop {
            let look_at = self.looked + Duration::from_millis(self.rules.look_every_ms);
            let mut waiting = Vec::new();
            tokio::select! {
                () = stop.cancelled() => return,
                () = reloads.next() => {
                    self.look().await;
                    self.fetch().await;
                }
                () = sleep_until(look_at) => self.look().await,
                () = sleep_until(self.fetch_at()) => self.fetch().await,
                Some(first) = self.asks.recv() => waiting.push(first),
            }
            while let Ok(next) = self.asks.try_recv() {
                waiting.push(next);
            }
            self.find(&waiting).await;
        }
    }

    /// Looks for what is missing, unless that has just been done. Who waits hears of it when their end
    /// is dropped.
    async fn find(&mut self, waiting: &[Waiting]) {
        let misses = |what| waiting.iter().any(|(missing, _)| *missing == what);
        let is_past = |at: Instant, ms| at.elapsed() >= Duration::from_millis(ms);
        if misses(Missing::Own) && is_past(self.looked, self.rules.look_again_ms) {
            self.look().await;
        }
        let again_ms = self.rules.fetch_again_ms;
        if misses(Missing::Others) && self.asked.is_none_or(|at| is_past(at, again_ms)) {
            self.fetch().await;
        }
    }

    /// Files that cannot be used change nothing but the log.
    async fn look(&mut self) {
        self.looked = Instant::now();
        let (dir, rules) = (self.dir.clone(), self.rules.clone());
        let read = spawn_blocking(move || read(&dir, &rules)).await;
        let read = match read {
            Ok(read) => read,
            Err(_) => return,
        };
        let made = read.and_then(|files| Ok((files.keys(&self.rules, &self.set)?, files)));
        match made {
            Ok((_, files)) if files == self.files => self.fault.clear(),
            Ok((keys, files)) => {
                self.files = files;
                self.fault.clear();
                self.tokens.put(keys);
                tracing::info!("the keys that tokens are verified with have changed");
            }
            Err(error) => {
                let error = error.to_string();
                if self.fault != error {
                    tracing::error!(error, "the keys in force stay: the new ones cannot be used");
                    self.fault = error;
                }
            }
        }
    }

    fn fetch_at(&self) -> Instant {
        let every = Duration::from_millis(self.rules.fetch_every_ms);
        match (&self.rules.key_set, self.asked) {
            (Some(_), Some(asked)) => asked + every,
            (Some(_), None) => Instant::now(),
            (None, _) => Instant::now() + every,
        }
    }

    async fn fetch(&mut self) {
        let Some(url) = self.rules.key_set.clone() else {
            return;
        };
        self.asked = Some(Instant::now());
        let asked = url.clone();
        let fetched = spawn_blocking(move || fetch(&asked)).await;
        match fetched {
            Ok(Ok(set)) => {
                self.fetched = Instant::now();
                self.set = set;
            }
            Ok(Err(error)) => {
                tracing::warn!(%url, error, "failed to get the keys of others; those that are known stay");
                let kept = Duration::from_millis(self.rules.keep_ms);
                if self.set.is_empty() || self.fetched.elapsed() < kept {
                    return;
                }
                tracing::error!(%url, "the keys of others are too old; their tokens are refused until there are new ones");
                self.set.clear();
            }
            Err(_) => return,
        }
        if let Ok(keys) = self.files.keys(&self.rules, &self.set) {
            self.tokens.put(keys);
        }
    }
}

impl Files {
    fn keys(&self, rules: &TokenRules, set: &[OutsideKey]) -> Result<Keys, KeyError> {
        let has_others = rules.key.is_some() || rules.key_set.is_some();
        let mut keys = set.to_vec();
        if let (Some(public), Some(path)) = (&self.public, &rules.key) {
            let key = OutsideKey::from_pem(public).map_err(|why| KeyError::File {
                path: path.clone(),
                why: why.to_owned(),
            })?;
            keys.push(key);
        }
        let others = has_others.then(|| Others {
            keys,
            audience: rules.audience.clone(),
        });
        Ok(Keys::new(&self.present, self.before.as_ref(), others))
    }
}

fn read(dir: &Path, rules: &TokenRules) -> Result<Files, KeyError> {
    let public = match &rules.key {
        Some(path) => Some(
            read_small(path, FILE_MAX_BYTES).map_err(|error| KeyError::File {
                path: path.clone(),
                why: error.to_string(),
            })?,
        ),
        None => None,
    };
    Ok(Files {
        present: Secret::load(dir)?,
        before: Secret::load_before(dir)?,
        public,
    })
}
