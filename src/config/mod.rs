//! Reads the YAML file into the types of [`crate::domain::config`].
//!
//! Two stages. `raw` has the file's shape and nothing else: an unknown key, a
//! wrong type or a key given twice ends there, with line and column. `resolve`
//! applies every rule of the subject and collects all that it finds, so that
//! an operator corrects a file once. What leaves here needs no second look.
//! `yaml` alone names the YAML reader, so that another could take its place.
//!
//! A [`ConfigSource`] is where the text comes from. [`rights`] reads the other file, of
//! who may do what.

mod check_fault;
mod error;
mod fault;
mod file_source;
mod files;
mod parse;
mod raw;
mod raw_forms;
mod read;
mod report;
mod resolve;
pub mod rights;
mod source;
mod warnings;
mod yaml;

pub use crate::domain::duration::{DurationError, parse as parse_duration};
pub use check_fault::CheckProblem;
pub use error::{FaultList, LoadError, Loaded, ReadError};
pub use fault::{AddressFamily, AddressFlaw, ConfigFault, Problem};
pub use file_source::{FileSource, load};
pub use parse::parse;
pub use source::{ConfigLoad, ConfigSource};
pub use warnings::{Warning, WarningKind};
