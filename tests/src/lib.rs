//! What the tests of Boardcast share: servers on real sockets with real files, clients, and a naive
//! board that the real one is compared with.

pub mod client;
pub mod faults;
pub mod fixture;
pub mod harness;
pub mod http;
pub mod model;
pub mod process;
pub mod raw;
pub mod scene;
pub mod tls;
