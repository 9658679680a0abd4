//! stub
pub mod plugin;
mod pool;
