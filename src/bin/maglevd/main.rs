//! maglevd: probes backends and programs VPP's Maglev load balancer.

#![allow(unreachable_pub)]

mod config_source;
mod demo;
mod flags;
mod goodbye;
mod reload;
mod run;
mod start;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use vpp_maglev::host::{allocator, logging};
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions, Paths};

use config_source::{config_source, load_once};
use flags::Flags;

fn main() -> ExitCode {
    allocator::share_between_threads();
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => return refuse(&error),
    };
    let outcome = match &flags.dataplane_only {
        _ if flags.check => check(&flags),
        Some(dir) => dataplane_only(&flags, dir).map(|()| ExitCode::SUCCESS),
        None => run::run(flags).map(|()| ExitCode::SUCCESS),
    };
    match outcome {
        Ok(status) => status,
        Err(error) => {
            eprintln!("maglevd: {error}");
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
        eprintln!("maglevd: {}", message.strip_prefix("error: ").unwrap_or(&message));
        ExitCode::from(2)
    } else {
        // A reader that closed the pipe has read enough.
        let _ = error.print();
        ExitCode::SUCCESS
    }
}

/// `--check`: prints all faults of the configuration.
///
/// # Errors
/// The system refuses what it takes to read it.
fn check(flags: &Flags) -> Result<ExitCode, run::StartError> {
    let source = config_source(flags);
    Ok(match load_once(&*source)? {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                eprintln!("{source}: warning: {warning}");
            }
            println!("{source}: valid");
            ExitCode::SUCCESS
        }
        Err(error) => {
            for line in error.to_string().lines() {
                eprintln!("{source}: {line}");
            }
            ExitCode::from(error.exit_code())
        }
    })
}

/// `--dataplane-only`: serves the embedded dataplane until a signal.
fn dataplane_only(flags: &Flags, dir: &Path) -> Result<(), run::StartError> {
    let logging = logging::start(flags.log_level, flags.log_format)?;
    let _flush = logging.writer.flush_on_drop();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = run::stop_signal()?;
        let embedded = Embedded::start(Paths::in_dir(dir), EmbeddedOptions::default())?;
        tracing::info!(
            api = %embedded.api_path().display(), stats = %embedded.stats_path().display(),
            "dataplane-ready"
        );
        stop.await;
        Ok(())
    })
}
