//! Hashes passwords: Argon2id with 19 MiB, two passes, one lane (OWASP), few at a time.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::NewPassword;

/// The hash of no password: what is compared where there is no account, so that it takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IQ\
                      $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const SALT_BYTES: usize = 16;

/// How many passwords are hashed.
#[derive(Clone, Copy, Debug)]
pub struct HashRules {
    /// At a time, each with 19 MiB and a core of its own.
    pub at_once: usize,
    /// That wait; a further one is refused at once.
    pub waiting_max: usize,
    /// How long they wait, in milliseconds; then they are refused.
    pub wait_ms: u64,
}

impl Default for HashRules {
    /// Half of the cores, at most four.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self {
            at_once: (cores / 2).clamp(1, 4),
            waiting_max: 32,
            wait_ms: 5_000,
        }
    }
}

/// Too many passwords wait to be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many people sign in at the moment; try again in {RETRY_AFTER_S} s")]
pub struct TooBusy;

/// When to try again where too many passwords wait, in seconds.
pub(crate) const RETRY_AFTER_S: u32 = 5;

/// Hashes passwords, on threads of their own and few at a time.
#[derive(Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    line: Semaphore,
    wait: Duration,
    hashed: Arc<AtomicU64>,
}

impl Passwords {
    /// Held to these rules.
    pub fn new(rules: HashRules) -> Self {
        Self {
            places: Arc::new(Semaphore::new(rules.at_once)),
            line: Semaphore::new(rules.at_once + rules.waiting_max),
            wait: Duration::from_millis(rules.wait_ms),
            hashed: Arc::default(),
        }
    }

    /// How many were hashed.
    pub fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// A password as it is kept: a PHC string with a salt of its own.
    ///
    /// # Errors
    /// Too many wait.
    pub async fn hash(&self, password: NewPassword) -> Result<String, TooBusy> {
        let password = password.into_string();
        let mut salt = [0_u8; SALT_BYTES];
        rand::fill(&mut salt);
        let hash = move || {
            Argon2::default()
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map(|hash: PasswordHash| hash.to_string())
        };
        self.run(hash).await?.map_err(|error| {
            tracing::error!(%error, "failed to hash a password");
            TooBusy
        })
    }

    /// Whether a password is the one that is kept. Where none is, it takes as long and is not.
    ///
    /// # Errors
    /// Too many wait.
    pub async fn verify(&self, password: String, kept: Option<String>) -> Result<bool, TooBusy> {
        let verify = move || {
            let hash = kept.as_deref().unwrap_or(NOBODY);
            let is_right = Argon2::default().verify_password(password.as_bytes(), hash);
            is_right.is_ok() && kept.is_some()
        };
        self.run(verify).await
    }

    /// Does the work when there is a place for it, and keeps the place until it is done, whether
    /// somebody still waits for it or not.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TooBusy> {
        let _in_line = self.line.try_acquire().map_err(|_| TooBusy)?;
        let place = timeout(self.wait, Arc::clone(&self.places).acquire_owned());
        let place = place.await.map_err(|_| TooBusy)?.map_err(|_| TooBusy)?;
        let hashed = Arc::clone(&self.hashed);
        let worked = spawn_blocking(move || {
            let done = work();
            hashed.fetch_add(1, Ordering::Relaxed);
            drop(place);
            done
        });
        worked.await.map_err(|error| {
            tracing::error!(%error, "failed to hash a password");
            TooBusy
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "correct horse";

    fn chosen(password: &str) -> NewPassword {
        NewPassword::new(password.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_kept_with_a_salt_and_the_parameters_of_owasp() {
        let passwords = Passwords::new(HashRules::default());
        let kept = passwords.hash(chosen(RIGHT)).await.unwrap();
        let again = passwords.hash(chosen(RIGHT)).await.unwrap();
        assert_ne!(kept, again);
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        for (password, is_right) in [(RIGHT, true), ("correct horsf", false), ("", false)] {
            let verified = passwords.verify(password.to_owned(), Some(kept.clone()));
            assert_eq!(verified.await, Ok(is_right), "{password}");
        }
    }

    #[tokio::test]
    async fn who_has_no_password_is_refused_after_the_same_work() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let passwords = Passwords::new(HashRules::default());
        let kept = passwords.hash(chosen(RIGHT)).await.unwrap();
        let kept = PasswordHash::new(&kept).unwrap();
        assert_eq!(nobody.params, kept.params);
        let bytes = |hash: &PasswordHash| hash.hash.map(|output| output.len());
        assert_eq!(bytes(&nobody), bytes(&kept));
        assert_eq!(passwords.hashed(), 1);
        assert_eq!(passwords.verify(RIGHT.to_owned(), None).await, Ok(false));
        assert_eq!(passwords.hashed(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn few_are_hashed_at_once_and_few_wait_for_a_bounded_time() {
        let passwords = Passwords::new(HashRules {
            at_once: 1,
            waiting_max: 1,
            wait_ms: 1_000,
        });
        let place = Arc::clone(&passwords.places).acquire_owned().await.unwrap();
        let waits = passwords.verify(String::new(), None);
        let next = passwords.verify(String::new(), None);
        let refused = passwords.verify(String::new(), None);
        let (waits, next, refused) = tokio::join!(waits, next, refused);
        assert_eq!(refused, Err(TooBusy), "the line is full");
        assert_eq!((waits, next), (Err(TooBusy), Err(TooBusy)), "no place came");
        assert_eq!(passwords.hashed(), 0);
        drop(place);
        assert_eq!(passwords.verify(String::new(), None).await, Ok(false));
    }
}
