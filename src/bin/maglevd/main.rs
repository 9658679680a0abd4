//! maglevd: probes backends and programs VPP's Maglev load balancer.

#![allow(unreachable_pub)]

mod config_source;
mod demo;
mod demo_page;
mod flags;
mod goodbye;
mod kept_state;
mod reload;
mod run;
mod say;
mod signals;
mod start;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use rustix::process::Signal;
use vpp_maglev::api::{NewToken, RightsInForce};
use vpp_maglev::host::{allocator, logging};
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions, Paths};

use config_source::{config_source, load_once};
use flags::Flags;
use reload::LogLevelSignals;
use run::StartError;
use say::{complain, say};
use signals::Signals;

fn main() -> ExitCode {
    let signals = Signals::take();
    allocator::share_between_threads();
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => return refuse(&error),
    };
    let outcome =
        signals.map_err(StartError::from).and_then(|signals| match &flags.dataplane_only {
            _ if flags.new_token => new_token(),
            _ if flags.check => check(&flags, signals),
            Some(dir) => dataplane_only(&flags, dir, signals).map(|()| ExitCode::SUCCESS),
            None => run::run(flags, signals),
        });
    match outcome {
        Ok(status) => status,
        Err(error) => {
            complain(&format!("maglevd: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints an error in the flags on one line: clap adds usage and tips below it. Help
/// and the version, which are errors for clap as well, are printed as they are.
fn refuse(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        let text = error.to_string();
        let lines = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim);
        let message = lines.collect::<Vec<_>>().join(" ");
        let message = message.strip_prefix("error: ").unwrap_or(&message);
        complain(&format!("maglevd: {message}"));
        ExitCode::from(2)
    } else {
        // A reader that closed the pipe has read enough.
        let _ = error.print();
        ExitCode::SUCCESS
    }
}

/// `--check`: prints all faults of the configuration and of the rights.
///
/// # Errors
/// The system refuses what it takes to read it.
fn check(flags: &Flags, mut signals: Signals) -> Result<ExitCode, StartError> {
    let source = config_source(flags);
    let ends = async {
        tokio::select! {
            signal = signals.stop.next() => signal,
            _ = signals.hangup.recv() => Signal::HUP,
        }
    };
    let loaded = match load_once(&*source, ends)? {
        Ok(loaded) => loaded,
        // The convention of shells.
        Err(signal) => {
            let number = u8::try_from(signal.as_raw()).unwrap_or_default();
            return Ok(ExitCode::from(128 + number));
        }
    };
    let status = match loaded {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                complain(&format!("{source}: warning: {warning}"));
            }
            say(&format!("{source}: valid"));
            0
        }
        Err(error) => {
            for line in error.to_string().lines() {
                complain(&format!("{source}: {line}"));
            }
            error.exit_code()
        }
    };
    let of_rights = check_rights(flags);
    Ok(ExitCode::from(if status == 0 { of_rights } else { status }))
}

/// Prints all faults of the rights file, if there is one. Its exit status.
fn check_rights(flags: &Flags) -> u8 {
    let Some(path) = flags.rights_file() else { return 0 };
    match RightsInForce::load(Some(path)) {
        Ok(_) => {
            say(&format!("{}: valid", path.display()));
            0
        }
        Err(error) => {
            complain(&error.to_string());
            error.fault.exit_code()
        }
    }
}

/// `--new-token`: prints a token, and what the rights file is to have of it.
///
/// # Errors
/// The system gives no random numbers.
fn new_token() -> Result<ExitCode, StartError> {
    let NewToken { token, digest } = NewToken::generate()?;
    say(&format!("token:  {token}\ndigest: {digest}"));
    complain(
        "give the token to whom it is for, and put the digest under tokens in the rights file",
    );
    Ok(ExitCode::SUCCESS)
}

/// `--dataplane-only`: serves the embedded dataplane until a signal, or the end of its
/// terminal.
fn dataplane_only(flags: &Flags, dir: &Path, signals: Signals) -> Result<(), StartError> {
    let logging = logging::start(flags.log_level, flags.log_format)?;
    let _flush = logging.writer.flush_on_drop();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let embedded = {
            let options =
                EmbeddedOptions { api: flags.dataplane_api, ..EmbeddedOptions::default() };
            Embedded::start(Paths::in_dir(dir), options)?
        };
        tracing::info!(
            api = %embedded.api_path().display(), stats = %embedded.stats_path().display(),
            "dataplane-ready"
        );
        let terminal = signals.terminal()?;
        let is_to_outlive = signals.outlives_terminal;
        let Signals { mut hangup, debug, configured, mut stop, .. } = signals;
        let level_signals = LogLevelSignals { debug, configured };
        tokio::select! {
            _ = stop.next() => {}
            // There is no configuration to reload.
            Some(()) = hangup.recv(), if !is_to_outlive => {}
            () = terminal.gone() => {}
            () = level_signals.apply_to(logging.levels.clone()) => {}
        }
        Ok(())
    })
}
