//! Behind a reverse proxy: who is believed to have asked, and over which scheme.

mod trusted;
