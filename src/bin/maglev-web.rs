//! The web page of vpp-maglev.

use std::process::ExitCode;

fn main() -> ExitCode {
    vpp_maglev::web::run(std::env::args_os())
}
