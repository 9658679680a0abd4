//! Renders answers as text and JSON.

pub mod context;
pub mod format;
pub mod json;
pub mod output;
pub mod table;
pub mod text;
pub mod time;
