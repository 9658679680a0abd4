//! The CLI commands of `cli_inband`, with VPP's output.

use super::cli_output::CliOutput;
use super::clients::Clients;
use super::interface_cli;
use super::lb_cli;
use super::plugin::PluginApi;
use super::process::Process;

/// Version that the embedded VPP reports.
pub(super) fn version(api: PluginApi) -> &'static str {
    match api {
        PluginApi::V1_1 => concat!("26.06-embedded-", env!("CARGO_PKG_VERSION")),
        PluginApi::V1_2 => concat!("26.10-embedded-", env!("CARGO_PKG_VERSION")),
    }
}

/// Build date that the embedded VPP reports.
pub(super) const BUILD_DATE: &str = env!("MAGLEV_BUILD_DATE");

/// Runs one command.
pub(super) fn run(command: &[u8], process: &mut Process, clients: &Clients) -> CliOutput {
    let command = String::from_utf8_lossy(command);
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["show", "lb"] => CliOutput::done(process.plugin.show()),
        // VPP ignores any other word after `vips`; 1.1.0 needs one.
        ["show", "lb", "vips"] if process.plugin.api() == PluginApi::V1_1 => {
            CliOutput::done(String::new())
        }
        ["show", "lb", "vips", rest @ ..] => {
            CliOutput::done(process.plugin.show_vips(rest.first() == Some(&"verbose")))
        }
        ["show", "lb", rest @ ..] => CliOutput::failed(format!(
            "{}unknown input `{}'\n",
            process.plugin.show(),
            rest.join(" ")
        )),
        ["show", "load-balance", index] if index.parse::<u32>().is_ok() => {
            let index = index.parse().unwrap_or_default();
            CliOutput::done(process.plugin.show_load_balance(index))
        }
        ["show", "api", "clients"] => CliOutput::done(clients.show()),
        ["show", "version"] => CliOutput::done(format!(
            "vpp v{} built by vpp-maglev on localhost at {BUILD_DATE}\n",
            version(process.plugin.api())
        )),
        ["lb", rest @ ..] if process.plugin.api() == PluginApi::V1_1 => {
            let now = process.now();
            lb_cli::run(rest, &mut process.plugin, now)
        }
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
