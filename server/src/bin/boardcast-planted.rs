//! The binary `boardcast-planted`: `boardcast` with `serve --plant-fault`, for the tests of faults.

use std::process::ExitCode;

fn main() -> ExitCode {
    boardcast::cli::run()
}
