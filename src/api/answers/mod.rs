//! Answers on their way to clients: how much memory those that nobody reads may
//! take, and how long they may take.

pub(in crate::api) mod body;
pub(in crate::api) mod pool;
pub(in crate::api) mod shared;
mod timer;
