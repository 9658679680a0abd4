//! A program of the operator's, for any other routing daemon. It gets the whole
//! wanted set as JSON on its standard input and answers on its standard output with
//! what is placed ([`schema`]). Exit status 0 says that the answer holds.

mod process;
mod schema;

use crate::domain::announce::placement::{PlacedRoutes, WantedRoutes};

use super::DriverError;
use super::pass::ApplyReport;
pub use process::CommandOptions;
use schema::{ProgramAnswer, ProgramRequest};

/// Drives a program.
#[derive(Clone, Debug)]
pub struct CommandDriver {
    options: CommandOptions,
}

impl CommandDriver {
    #[must_use]
    pub const fn new(options: CommandOptions) -> Self {
        Self { options }
    }

    pub(super) async fn read(&self) -> Result<PlacedRoutes, DriverError> {
        Ok(self.run(&ProgramRequest::read()).await?.placed())
    }

    pub(super) async fn apply(&self, wanted: &WantedRoutes) -> Result<ApplyReport, DriverError> {
        let answer = self.run(&ProgramRequest::apply(wanted)).await?;
        let (after, failures) = (answer.placed(), answer.failures());
        Ok(ApplyReport::of(wanted, &PlacedRoutes::new(), Some(after), &failures, 1))
    }

    async fn run(&self, request: &ProgramRequest) -> Result<ProgramAnswer, DriverError> {
        let output = process::run(&self.options, request.bytes()).await?;
        let attempt = process::attempt(&self.options);
        ProgramAnswer::parse(&output).map_err(|error| DriverError::not_understood(&attempt, &error))
    }
}
