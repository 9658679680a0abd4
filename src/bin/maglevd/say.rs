//! What the daemon says beside its log. A terminal or pipe that is gone, or a disk
//! that is full, must not end it: `println!` and `eprintln!` would panic.

use std::io::Write;

use vpp_maglev::domain::printable::printable_lines;

/// Writes lines to standard output.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", printable_lines(text));
}

/// Writes a line to standard error.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable_lines(text));
}
