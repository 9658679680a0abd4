//! VPP's `lb` plugin as a state without packets: what its API can set and dump,
//! and what it refuses, faults included.
//!
//! Modelled on lb.api 1.2.0 (VPP 26.10) and 1.1.0 (24.02 to 26.06), and checked against
//! running ones.

mod address;
mod api;
mod encoding;
mod fault;
mod index;
mod load_balances;
mod rows;
mod servers;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod vips;

pub use self::address::{
    PluginPrefix, PluginVipKey, address_from_wire, address_to_wire, from_ip, to_ip,
};
pub use self::api::{PluginApi, UnknownPluginApi};
pub use self::fault::{PluginFault, PluginRefusal};
pub use self::rows::{ServerRow, VipRow};
pub use self::state::{Conf, NewVip, Plugin};
pub use self::text::COUNTER_NAMES;
