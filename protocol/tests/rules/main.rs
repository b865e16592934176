//! x
mod arbitrary;
mod invariants;
mod placing;
mod replay;
mod trials;
