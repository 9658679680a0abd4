//! What the web server decides: who may do what, how long a session lasts, how often a
//! password may be tried, whether a request was forged, and what a tab is sent.

pub mod access;
pub mod event_id;
pub mod forecasts;
pub mod forgery;
pub mod frames;
pub mod pending;
pub mod proxies;
pub mod sessions;
pub mod throttle;
