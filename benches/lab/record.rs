//! What maglevt writes, as far as the lab looks at it (docs/maglevt.md).

use std::time::Duration;

use serde_json::Value;

use super::row::Counted;

/// One line.
#[derive(Debug, PartialEq)]
pub(crate) enum Record {
    Interval { held_open: u64 },
    Summary(Counted),
    Other,
}

impl Record {
    /// Of the only VIP. Nothing, if it is not such a line.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let record: Value = serde_json::from_str(line).ok()?;
        let vip = &record["vips"][0];
        let number = |key: &str| vip[key].as_u64();
        Some(match record["type"].as_str()? {
            "interval" => Self::Interval { held_open: number("held_open")? },
            "summary" => Self::Summary(Counted {
                broken: number("broken_slots")?,
                breaks: number("broken")?,
                moved: number("moved")?,
                failed: vip["failed"].as_object()?.values().filter_map(Value::as_u64).sum(),
                gap: Duration::from_millis(number("longest_gap_ms")?),
                fullest: vip["held_tally"]
                    .as_object()?
                    .values()
                    .filter_map(Value::as_u64)
                    .max()
                    .unwrap_or(0),
            }),
            _ => Self::Other,
        })
    }
}
