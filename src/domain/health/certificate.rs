//! When a server's certificate ends, and whether that is soon.

use std::time::{Duration, SystemTime};

/// The end of the certificate that a server showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateEnd {
    pub ends: SystemTime,
    /// How long before its end it is told of.
    pub warning: Duration,
}

/// What is known of a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateView {
    pub ends: SystemTime,
    /// It ends within the time that the check gives, or has ended.
    pub is_soon: bool,
}

impl CertificateEnd {
    #[must_use]
    pub fn view(&self, now: SystemTime) -> CertificateView {
        let left = self.ends.duration_since(now).unwrap_or_default();
        CertificateView { ends: self.ends, is_soon: left < self.warning }
    }
}

/// What is to be told when one view follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateNews {
    EndsSoon,
    /// There is another one, which does not end soon.
    Renewed,
}

impl CertificateNews {
    #[must_use]
    pub fn between(
        before: Option<CertificateView>,
        after: Option<CertificateView>,
    ) -> Option<Self> {
        let was_soon = before.is_some_and(|view| view.is_soon);
        match after {
            Some(after) if after.is_soon && !was_soon => Some(Self::EndsSoon),
            Some(after) if !after.is_soon && was_soon => Some(Self::Renewed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn it_is_soon_from_the_given_time_on_and_once_it_is_over() {
        let ends = SystemTime::UNIX_EPOCH + 100 * DAY;
        let end = CertificateEnd { ends, warning: 14 * DAY };
        for (day, is_soon) in [(0, false), (86, false), (87, true), (100, true), (200, true)] {
            let view = end.view(SystemTime::UNIX_EPOCH + day * DAY);
            assert_eq!(view, CertificateView { ends, is_soon }, "day {day}");
        }
    }

    #[test]
    fn news_is_told_once() {
        let ends = SystemTime::UNIX_EPOCH;
        let view = |is_soon| Some(CertificateView { ends, is_soon });
        for (before, after, news) in [
            (None, view(false), None),
            (None, view(true), Some(CertificateNews::EndsSoon)),
            (view(false), view(true), Some(CertificateNews::EndsSoon)),
            (view(true), view(true), None),
            (view(true), view(false), Some(CertificateNews::Renewed)),
            (view(true), None, None),
            (view(false), None, None),
        ] {
            assert_eq!(CertificateNews::between(before, after), news, "{before:?} {after:?}");
        }
    }
}
