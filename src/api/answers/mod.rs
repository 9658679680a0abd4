//! Answers on their way to clients: how much memory those that nobody reads may
//! take, and how long they may take.

pub(crate) mod body;
pub(crate) mod pool;
pub(crate) mod shared;
mod timer;
