//! Files on cards in a bucket of an S3 server, over real sockets: every test of those in a directory,
//! and what only a bucket can do wrong.

#[path = "../attachments/downloads.rs"]
mod downloads;
#[path = "../attachments/endings.rs"]
mod endings;
#[path = "../attachments/limits.rs"]
mod limits;
#[path = "../attachments/stage.rs"]
mod stage;
#[path = "../attachments/thumbnails.rs"]
mod thumbnails;
#[path = "../attachments/uploads.rs"]
mod uploads;

mod down;
mod moves;
mod refusals;
mod requests;
mod store;

use stage::{Stage, board, ids, noise};
use store::Store;
