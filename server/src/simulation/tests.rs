//! What every build runs: some hundred seeds, that runs are the same when they are run again, and
//! that planted bugs are found.

mod planted;
mod seeds;
