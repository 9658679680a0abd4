//! A program of the operator's, for any other routing daemon. It gets the whole
//! wanted set as JSON on its standard input and answers on its standard output with
//! what is placed ([`schema`]). Exit status 0 says that the answer holds.

mod process;
mod schema;

use std::time::Duration;

use crate::domain::announce::placement::{PlacedRoutes, WantedRoutes};

use super::pass::ApplyReport;
use super::{DriverError, STEP_LIMIT};
use schema::{Answer, Request};

/// What is run.
#[derive(Clone, Debug)]
pub struct CommandOptions {
    /// The program, an absolute path, and its arguments. No shell is involved.
    pub argv: Vec<String>,
    /// After it the program is killed, with every process of its group.
    pub timeout: Duration,
}

impl CommandOptions {
    #[must_use]
    pub const fn new(argv: Vec<String>) -> Self {
        Self { argv, timeout: STEP_LIMIT }
    }
}

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
        Ok(self.run(&Request::read()).await?.placed())
    }

    pub(super) async fn apply(&self, wanted: &WantedRoutes) -> Result<ApplyReport, DriverError> {
        let answer = self.run(&Request::apply(wanted)).await?;
        let (after, failures) = (answer.placed(), answer.failures());
        Ok(ApplyReport::of(wanted, &PlacedRoutes::new(), Some(after), &failures, 1))
    }

    async fn run(&self, request: &Request) -> Result<Answer, DriverError> {
        let output = process::run(&self.options, request.bytes()).await?;
        let attempt = process::attempt(&self.options);
        Answer::parse(&output).map_err(|error| DriverError::not_understood(&attempt, &error))
    }
}
