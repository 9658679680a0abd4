//! Every rule of the system, as types that cannot hold nonsense and functions
//! without IO: time and chance are arguments.

pub mod config;
pub mod cores;
pub mod events;
pub mod health;
pub mod histogram;
pub mod maglev;
pub mod names;
pub mod net;
pub mod notice;
pub mod observed;
pub mod placement;
pub mod plan;
pub mod probe;
pub mod readiness;
pub mod refusals;
pub mod resolution;
pub mod roster;
pub mod round;
pub mod step;
pub mod tally;
pub mod weights;
