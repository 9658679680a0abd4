//! The command line of vpp-maglev.

use std::process::ExitCode;

fn main() -> ExitCode {
    vpp_maglev::cli::run(std::env::args_os())
}
