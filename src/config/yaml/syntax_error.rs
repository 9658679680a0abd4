//! What is wrong with the text, and where.

use std::fmt;

use serde::de;

use super::node::Place;
use crate::config::error::LoadError;
use crate::config::report::ConfigPath;

/// The first thing that cannot be read.
#[derive(Debug)]
pub(super) struct SyntaxError {
    /// `None` until the error has come to the value that it is about.
    place: Option<Place>,
    message: String,
}

impl SyntaxError {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), message: message.into() }
    }

    /// Names the value at `path` in the message.
    pub(super) fn at(place: Place, path: &ConfigPath<'_>, message: impl fmt::Display) -> Self {
        let path = path.to_string();
        let message =
            if path.is_empty() { message.to_string() } else { format!("{path}: {message}") };
        Self { place: Some(place), message }
    }

    /// The same at this place, unless it has one.
    pub(super) fn or_at(self, place: Place, path: &ConfigPath<'_>) -> Self {
        if self.place.is_some() { self } else { Self::at(place, path, self.message) }
    }
}

impl From<SyntaxError> for LoadError {
    fn from(error: SyntaxError) -> Self {
        let Place { line, column } = error.place.unwrap_or(Place { line: 1, column: 1 });
        Self::Syntax { line, column, message: error.message }
    }
}

impl de::Error for SyntaxError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { place: None, message: message.to_string() }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}
