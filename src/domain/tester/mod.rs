//! What maglevt decides: what its observations of VIPs add up to, and whether that
//! is within the limits. Times are since the start of the test.
//!
//! ```text
//! TestFact ─▶ VipRecord ─▶ VipReport, TestEvent ─▶ TestLimits ─▶ Breach
//!               │ Latencies, SuccessGap, shares::judge, full_size::judge
//! ```

pub mod chi_squared;
pub mod counts;
pub mod fact;
pub mod full_size;
pub mod gap;
pub mod latency;
pub mod limits;
pub mod record;
pub mod server_name;
pub mod shares;
