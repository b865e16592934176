//! How many connections there may be, and how much they may ask for.

use serde::{Deserialize, Serialize};

/// Which connection goes when a user has more than may be open at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Yields {
    /// The one that has just come: it is closed with 4504.
    #[default]
    Newest,
    /// The one that has been open for longest: it is closed with 4506.
    Oldest,
}

/// How many connections there may be, and how much their users may ask for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// In all. Above it the upgrade is answered 503. As many users and addresses are remembered for
    /// the rates below; further ones share one rate.
    pub total: usize,
    /// From one source. Above it the upgrade is answered 429.
    pub per_source: usize,
    /// Without credentials, from one source. Above it the upgrade is answered 429.
    pub unauthenticated_per_source: usize,
    /// Of one user. Above it one of them is closed, with a final code.
    pub per_user: usize,
    /// Which one.
    pub yields: Yields,
    /// Upgrades in any second. Above it an upgrade is answered 503.
    pub connects_per_s: u32,
    /// Upgrades from one source in any second. Above it an upgrade is answered 429.
    pub connects_per_s_per_source: u32,
    /// Commands a second of one user over all connections, over time; four times as many at once.
    /// Above it a submit is answered `busy`.
    pub commands_per_s_per_user: u32,
    /// Requests a second over HTTP of one user, or of one source without credentials, over time; four
    /// times as many at once. Above it the answer is 429.
    pub requests_per_s_per_user: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: 20_000,
            per_source: 20_000,
            unauthenticated_per_source: 100,
            per_user: 5,
            yields: Yields::Newest,
            connects_per_s: 4_000,
            connects_per_s_per_source: 2_000,
            commands_per_s_per_user: 1_000,
            requests_per_s_per_user: 2_000,
        }
    }
}

impl Limits {
    /// Time for so many clients to come back, in milliseconds, at half the rate at which they are let
    /// in: the other half is for those who found the server not ready yet. All of them may come from
    /// one source, as they do through a proxy.
    pub fn return_ms(&self, clients: usize) -> u64 {
        let per_s = self.connects_per_s.min(self.connects_per_s_per_source);
        let clients = u64::try_from(clients).unwrap_or(u64::MAX);
        let each_ms = 2 * 1_000;
        clients
            .saturating_mul(each_ms)
            .div_ceil(u64::from(per_s.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_back_slower_than_they_are_let_in() {
        let limits = Limits {
            connects_per_s: 4_000,
            connects_per_s_per_source: 1_500,
            ..Limits::default()
        };
        assert_eq!(limits.return_ms(0), 0);
        assert_eq!(limits.return_ms(1), 2);
        assert_eq!(limits.return_ms(9_000), 12_000);
    }
}
