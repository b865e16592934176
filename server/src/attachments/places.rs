//! How many files may be on their way in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use boardcast_protocol::ids::UserId;

use super::AttachmentError;

type OfUsers = Arc<Mutex<HashMap<UserId, usize>>>;

/// Places for files that are received: those of all users, and of each.
#[derive(Debug)]
pub(super) struct UploadPlaces {
    all: Arc<Semaphore>,
    of_users: OfUsers,
    per_user: usize,
}

/// One of the places, given back when it is dropped.
#[derive(Debug)]
pub struct UploadPlace {
    _permit: OwnedSemaphorePermit,
    of_users: OfUsers,
    user: UserId,
}

impl UploadPlaces {
    pub(super) fn new(all: usize, per_user: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            of_users: OfUsers::default(),
            per_user,
        }
    }

    /// One's own places are looked at first, so who uses them up takes none from others.
    pub(super) fn take(&self, user: UserId) -> Result<UploadPlace, AttachmentError> {
        let mut of_users = lock(&self.of_users);
        let used = of_users.get(&user).copied().unwrap_or_default();
        if used >= self.per_user {
            return Err(AttachmentError::UserBusy {
                per_user: self.per_user,
            });
        }
        let permit = Arc::clone(&self.all).try_acquire_owned();
        let permit = permit.map_err(|_| AttachmentError::Busy)?;
        of_users.insert(user, used + 1);
        Ok(UploadPlace {
            _permit: permit,
            of_users: Arc::clone(&self.of_users),
            user,
        })
    }
}

impl Drop for UploadPlace {
    fn drop(&mut self) {
        let mut of_users = lock(&self.of_users);
        match of_users.get_mut(&self.user) {
            Some(used) if *used > 1 => *used -= 1,
            Some(_) | None => {
                of_users.remove(&self.user);
            }
        }
    }
}

fn lock(of_users: &OfUsers) -> MutexGuard<'_, HashMap<UserId, usize>> {
    of_users.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_few_places_and_gives_them_back() {
        let places = UploadPlaces::new(3, 2);
        let (ann, bob): (UserId, UserId) = ("ann".parse().unwrap(), "bob".parse().unwrap());
        let first = places.take(ann).unwrap();
        let _second = places.take(ann).unwrap();
        assert!(matches!(
            places.take(ann),
            Err(AttachmentError::UserBusy { per_user: 2 })
        ));
        let _bobs = places.take(bob).unwrap();
        assert!(matches!(places.take(bob), Err(AttachmentError::Busy)));
        drop(first);
        let _again = places.take(ann).unwrap();
        assert_eq!(lock(&places.of_users)[&ann], 2);
    }
}
