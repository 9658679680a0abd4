//! Forecasts that were shown lately. A sync or a reload names the one that it was decided
//! by: nobody does either without having seen what it would do.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use thiserror::Error;

/// How long a forecast may be acted on.
const LASTS: Duration = Duration::from_secs(300);
const MOST: usize = 256;

#[derive(Debug)]
struct ShownForecast {
    id: String,
    /// Who saw it, and what was forecast.
    what: String,
    at: Instant,
}

/// Those of late, the oldest first.
#[derive(Debug, Default)]
pub struct ForecastTable(VecDeque<ShownForecast>);

/// Why a forecast does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ForecastError {
    #[error("there is no such forecast, or it is older than five minutes")]
    Unknown,
    #[error("the forecast is of another action")]
    OfAnother,
}

impl ForecastTable {
    pub fn add(&mut self, id: String, what: String, now: Instant) {
        self.0.retain(|shown| now < shown.at + LASTS);
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(ShownForecast { id, what, at: now });
    }

    /// Takes a forecast: it is good for one action.
    ///
    /// # Errors
    /// It does not do; one of another action stays.
    pub fn take(&mut self, id: &str, what: &str, now: Instant) -> Result<(), ForecastError> {
        let place = self.0.iter().position(|shown| shown.id == id && now < shown.at + LASTS);
        let place = place.ok_or(ForecastError::Unknown)?;
        if self.0[place].what != what {
            return Err(ForecastError::OfAnother);
        }
        self.0.remove(place);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_is_good_for_one_action_and_not_for_long() {
        let now = Instant::now();
        let mut table = ForecastTable::default();
        table.add("1".into(), "sync a".into(), now);
        assert_eq!(table.take("2", "sync a", now), Err(ForecastError::Unknown));
        assert_eq!(table.take("1", "sync b", now), Err(ForecastError::OfAnother));
        assert_eq!(table.take("1", "sync a", now), Ok(()));
        assert_eq!(table.take("1", "sync a", now), Err(ForecastError::Unknown));
        table.add("3".into(), "sync a".into(), now);
        assert_eq!(table.take("3", "sync a", now + LASTS), Err(ForecastError::Unknown));
    }

    #[test]
    fn forecasts_are_bounded() {
        let now = Instant::now();
        let mut table = ForecastTable::default();
        for number in 0..=MOST {
            table.add(number.to_string(), String::new(), now);
        }
        assert_eq!(table.0.len(), MOST);
        assert_eq!(table.take("0", "", now), Err(ForecastError::Unknown));
        assert_eq!(table.take("1", "", now), Ok(()));
    }
}
