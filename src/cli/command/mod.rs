//! Parses words to a command: the grammar, its parser, completion and help.

pub mod completion;
pub mod completion_names;
pub mod completions_query;
pub mod duration;
pub mod grammar;
pub mod help;
pub mod options;
pub mod parse;
pub mod request;
pub mod scripts;
pub mod tls_options;
pub mod words;
