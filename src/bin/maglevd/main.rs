//! maglevd: probes backends and programs VPP's Maglev load balancer.

#![allow(unreachable_pub)]

mod demo;
mod flags;
mod run;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use vpp_maglev::config;
use vpp_maglev::host::{allocator, logging};
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions, Paths};

use flags::Flags;

fn main() -> ExitCode {
    allocator::share_between_threads();
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => return refuse(&error),
    };
    if flags.check {
        return check(&flags.config);
    }
    let outcome = match &flags.dataplane_only {
        Some(dir) => dataplane_only(&flags, dir),
        None => run::run(flags),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("maglevd: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A slip in the flags, on one line: clap adds usage and tips below it. Help
/// and the version, which clap takes for errors too, are printed as they are.
fn refuse(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        let text = error.to_string();
        let lines = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim);
        let message = lines.collect::<Vec<_>>().join(" ");
        eprintln!("maglevd: {}", message.strip_prefix("error: ").unwrap_or(&message));
        ExitCode::from(2)
    } else {
        // Whoever closed the pipe has read enough.
        let _ = error.print();
        ExitCode::SUCCESS
    }
}

/// `--check`: says what is wrong with the file, and all of it.
fn check(path: &Path) -> ExitCode {
    match config::load(path) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                eprintln!("{}: warning: {warning}", path.display());
            }
            println!("{}: valid", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            for line in error.to_string().lines() {
                eprintln!("{}: {line}", path.display());
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// `--dataplane-only`: the embedded dataplane until a signal.
fn dataplane_only(flags: &Flags, dir: &Path) -> Result<(), run::StartError> {
    let logging = logging::start(flags.log_level, flags.log_format)?;
    let _last = logging.writer.last_records();
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
