//! The HTTP layer, the only one that knows axum.

pub mod origin;
pub mod upgrade;
