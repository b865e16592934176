//! People with accounts: the first start, signing in, sessions and their sockets, administrators.

mod command;
mod first_start;
mod guesses;
mod logs;
mod passwords;
mod people;
mod sessions;
mod sockets;
mod tokens;

use boardcast_tests::http::{Answer, ask};
use boardcast_tests::scene::{PASSWORD, Scene, email, secret};
