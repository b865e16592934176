//! The binary `boardcast`.

use std::process::ExitCode;

fn main() -> ExitCode {
    boardcast::cli::run()
}
