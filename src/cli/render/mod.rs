//! From answers to what people and programs read.

pub mod context;
pub mod json;
pub mod output;
pub mod table;
pub mod text;
pub mod time;
