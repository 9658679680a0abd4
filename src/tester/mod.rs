//! maglevt: tests VIPs as a client of them.
//!
//! ```text
//! options ─▶ targets ─▶ engine ─▶ TestObservation ─▶ collect ─▶ report: screen, text, JSON
//!                                                     └─ domain::tester
//! ```
//!
//! The engine is tasks on one thread that send what they observe to one collector;
//! what it adds up to is decided in `domain::tester`. It stands on `cli` (the
//! terminal) and `client` (the daemon), `config` (the file) and `probe` (HTTP heads).

mod collect;
pub mod engine;
pub mod error;
pub mod options;
mod report;
pub mod settings;
pub mod targets;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind as Usage;
use clap::{CommandFactory, FromArgMatches};

use crate::cli::command::options::usage_error;
use crate::cli::render::context::Tone;
use crate::cli::render::format::OutputFormat;
use crate::cli::render::output::{Output, write};
use crate::domain::tester::fact::FlowFailure;
use engine::reach;
use error::TesterError;
use options::completions::script;
use options::single_dash::with_two_dashes;
use options::{ReportFormat, TesterOptions};
use report::Reporter;
use targets::target::VipTarget;

/// Runs maglevt with its arguments, the program's name first. The exit status is 0
/// for a test within its limits, 1 for another, 2 for wrong arguments, 3 where
/// nothing can be reached.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = with_two_dashes(&TesterOptions::command(), arguments.into_iter().collect());
    let parsed = TesterOptions::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| TesterOptions::from_arg_matches(&matches));
    let mut output = Output { format: OutputFormat::Text, ..Output::default() };
    let result = match parsed {
        Ok(options) => {
            output.color = options.color;
            match options.completions {
                Some(shell) => {
                    write(&script(shell, &TesterOptions::command())).map_err(TesterError::Daemon)
                }
                None => return verdict(run_options(&options, output), output),
            }
        }
        Err(error) if matches!(error.kind(), Usage::DisplayHelp | Usage::DisplayVersion) => {
            write(&error.to_string()).map_err(TesterError::Daemon)
        }
        Err(error) => Err(TesterError::Flags { message: usage_error(&error).to_string() }),
    };
    verdict(result.map(|()| true), output)
}

fn verdict(result: Result<bool, TesterError>, output: Output) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            output.print_diagnostic(Tone::Bad, &format!("maglevt: {error}"));
            ExitCode::from(error.status())
        }
    }
}

/// Tests, and returns whether all limits were kept.
fn run_options(options: &TesterOptions, output: Output) -> Result<bool, TesterError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| TesterError::System { attempted: "start", source })?;
    let result = runtime.block_on(test(options, output));
    // The resolution of a name cannot be cancelled, and is not waited for.
    runtime.shutdown_background();
    result
}

async fn test(options: &TesterOptions, output: Output) -> Result<bool, TesterError> {
    let stop = collect::EndSignals::take()
        .map_err(|source| TesterError::System { attempted: "take signals", source })?;
    let targets = targets::find(options).await?;
    for sentence in &targets.left_out {
        output.print_diagnostic(Tone::Unsure, &format!("maglevt: {sentence}"));
    }
    let settings = options.load();
    let connector = engine::tls_connector(settings.insecure)
        .map_err(|error| TesterError::NoTls { reason: error.to_string() })?;
    let found = reach(&targets.vips, &settings, &connector).await;
    if found.iter().all(Option::is_some) {
        return Err(TesterError::Unreachable { reasons: reasons(&targets.vips, &found) });
    }
    let format = options.output.unwrap_or_else(ReportFormat::of_streams);
    let reporter = Reporter::new(format, output)?;
    let plan = collect::CollectPlan {
        settings,
        limits: options.test_limits(),
        lasts: options.lasts,
        report: options.report,
    };
    collect::collect(targets, &connector, plan, stop, reporter).await
}

/// Why nothing answers at each target, the first few of them.
fn reasons(targets: &[VipTarget], found: &[Option<FlowFailure>]) -> String {
    const FEW: usize = 5;
    let of_each = targets.iter().zip(found).filter_map(|(target, failure)| {
        failure.as_ref().map(|failure| format!("{} ({}): {failure}", target.name, target.address))
    });
    let more = targets.len().saturating_sub(FEW);
    let more = (more > 0).then(|| format!("and {more} more"));
    of_each.take(FEW).chain(more).collect::<Vec<_>>().join("; ")
}
