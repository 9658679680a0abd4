//! The CLI commands of `cli_inband`, with VPP's output.

use super::clients::Clients;
use super::interface_cli;
use super::process::Process;

/// Version that the embedded VPP reports.
pub(super) const VERSION: &str = concat!("26.10-embedded-", env!("CARGO_PKG_VERSION"));
/// Build date that the embedded VPP reports.
pub(super) const BUILD_DATE: &str = env!("MAGLEV_BUILD_DATE");

/// What a command printed.
pub(super) struct CliOutput {
    pub(super) retval: i32,
    pub(super) text: String,
    /// A system call failed on the way.
    pub(super) errno_was_set: bool,
}

impl CliOutput {
    fn done(text: String) -> Self {
        Self { retval: 0, text, errno_was_set: false }
    }

    fn failed(text: String) -> Self {
        Self { retval: -1, text, errno_was_set: false }
    }
}

/// Runs one command.
pub(super) fn run(command: &[u8], process: &mut Process, clients: &Clients) -> CliOutput {
    let command = String::from_utf8_lossy(command);
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["show", "lb"] => CliOutput::done(process.plugin.show()),
        // VPP ignores any other word after `vips`.
        ["show", "lb", "vips", rest @ ..] => {
            CliOutput::done(process.plugin.show_vips(rest.first() == Some(&"verbose")))
        }
        ["show", "lb", rest @ ..] => CliOutput::failed(format!(
            "{}unknown input `{}'\n",
            process.plugin.show(),
            rest.join(" ")
        )),
        ["show", "api", "clients"] => CliOutput::done(clients.show()),
        ["show", "version"] => CliOutput::done(format!(
            "vpp v{VERSION} built by vpp-maglev on localhost at {BUILD_DATE}\n"
        )),
        ["show", "clock"] => {
            CliOutput::done(format!("Time now {:.6}\n", process.uptime().as_secs_f64()))
        }
        ["show", rest @ ..] => {
            CliOutput::failed(format!("show: unknown input `{}'\n", rest.join(" ")))
        }
        ["create" | "delete", "loopback", ..] | ["set", "interface", ..] => {
            match interface_cli::run(&words, &mut process.interfaces) {
                Ok(text) => CliOutput::done(text),
                Err(text) => CliOutput::failed(text),
            }
        }
        ["exec"] => CliOutput::failed("exec: expecting file name, got `'\n".into()),
        ["exec", path, ..] => exec(path),
        _ => CliOutput::failed(format!("unknown input `{}'\n", command.trim_start())),
    }
}

/// `exec` never runs anything here; what counts is that opening fails.
fn exec(path: &str) -> CliOutput {
    match std::fs::metadata(path) {
        Ok(_) => CliOutput::failed("exec: scripts are not run by the embedded dataplane\n".into()),
        Err(error) => {
            let reason = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
            let reason = match reason {
                Some(rustix::io::Errno::NOENT) => "No such file or directory".to_owned(),
                Some(rustix::io::Errno::ACCESS) => "Permission denied".to_owned(),
                Some(rustix::io::Errno::NOTDIR) => "Not a directory".to_owned(),
                _ => error.to_string(),
            };
            let text = format!("exec: failed to open `{path}': {reason}\n");
            CliOutput { errno_was_set: true, ..CliOutput::failed(text) }
        }
    }
}
