//! Reports: on the whole terminal, as lines for people, or as JSON.

mod json;
mod screen;
mod test_report;
mod text;

use std::io::IsTerminal;
use std::time::Duration;

use super::error::TesterError;
use super::options::ReportFormat;
use super::targets::target::VipTarget;
use crate::cli::render::output::{Output, write};
use crate::domain::tester::fact::TestEvent;
use crate::domain::tester::limits::Breach;
use screen::TestScreen;

pub(super) use test_report::{TestReport, TestStart};

/// Who is reported to.
pub(super) enum Reporter {
    Json,
    Text(Output),
    Screen(Box<TestScreen>, Output),
}

impl ReportFormat {
    /// The format that suits where the output goes.
    pub(super) fn of_streams() -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        if terminal { Self::Screen } else { Self::Text }
    }
}

fn terminal(source: std::io::Error) -> TesterError {
    TesterError::System { attempted: "use the terminal", source }
}

fn say(text: &str) -> Result<(), TesterError> {
    write(text).map_err(TesterError::Daemon)
}

impl Reporter {
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn new(format: ReportFormat, output: Output) -> Result<Self, TesterError> {
        Ok(match format {
            ReportFormat::Json => Self::Json,
            ReportFormat::Text => Self::Text(output),
            ReportFormat::Screen => {
                let colour = output.color.colour(&std::io::stdout());
                let screen = TestScreen::enter(colour).map_err(terminal)?;
                Self::Screen(Box::new(screen), output)
            }
        })
    }

    /// Returns when the operator leaves: never, but on the screen.
    pub(super) async fn left(&mut self) {
        match self {
            Self::Screen(screen, _) => screen.left().await,
            Self::Json | Self::Text(_) => std::future::pending().await,
        }
    }

    pub(super) fn start(&mut self, start: &TestStart<'_>) -> Result<(), TesterError> {
        match self {
            Self::Json => say(&json::line(&json::start(start))),
            Self::Text(output) => say(&text::start(start, &output.render_context())),
            Self::Screen(..) => Ok(()),
        }
    }

    /// `at` is since the start.
    pub(super) fn event(
        &mut self,
        at_ns: i64,
        at: Duration,
        target: &VipTarget,
        event: &TestEvent,
    ) -> Result<(), TesterError> {
        match self {
            Self::Json => say(&json::line(&json::event(at_ns, at, target, event))),
            Self::Text(output) => say(&text::event(at_ns, target, event, &output.render_context())),
            Self::Screen(screen, _) => {
                screen.add_event(text::event_line(at_ns, target, event));
                Ok(())
            }
        }
    }

    pub(super) fn interval(
        &mut self,
        interval: &TestReport,
        total: &TestReport,
        lasted: Duration,
        left_out: u64,
    ) -> Result<(), TesterError> {
        match self {
            Self::Json => say(&json::line(&json::interval(interval, lasted, left_out))),
            Self::Text(output) => {
                say(&text::interval(interval, left_out, &output.render_context()))
            }
            Self::Screen(screen, _) => screen.show(total).map_err(terminal),
        }
    }

    /// The last report; the screen is left before.
    pub(super) fn summary(
        &mut self,
        total: &TestReport,
        breaches: &[Breach],
    ) -> Result<(), TesterError> {
        if let Self::Screen(_, output) = self {
            *self = Self::Text(*output);
        }
        match self {
            Self::Json => say(&json::line(&json::summary(total, breaches))),
            Self::Text(output) | Self::Screen(_, output) => {
                say(&text::summary(total, breaches, &output.render_context()))
            }
        }
    }
}
