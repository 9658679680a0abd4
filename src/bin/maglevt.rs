//! The tester of VIPs of vpp-maglev.

use std::process::ExitCode;

fn main() -> ExitCode {
    vpp_maglev::tester::run(std::env::args_os())
}
