//! Behind a reverse proxy: who is believed to have asked, over which scheme, and where people open
//! the server.

mod base;
mod public_url;
mod trusted;
