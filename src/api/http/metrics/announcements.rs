//! The families of announcements. Their labels are of the configuration, so that there are
//! no more series than it has addresses and drivers, and those that are still withdrawn.

use super::page::{MetricFamily, MetricsPage, count, counter, flag, gauge};
use crate::domain::announce::{AnnouncementListing, VipStanding};

const ANNOUNCEMENT: MetricFamily = gauge(
    "announcement",
    "1 for what is wanted of an address that is announced or is to be, 0 for the others.",
);
const HELD: MetricFamily = gauge(
    "announcement_held",
    "1 while an announcement stays what it is although it is to be otherwise.",
);
const CHANGES: MetricFamily = counter(
    "announcement_changes_total",
    "How often something else was wanted of an announcement since the daemon started.",
);
const PLACED: MetricFamily = gauge(
    "announcement_placed",
    "1 while a driver has an announcement as it is wanted, 0 while not.",
);
const READ_AGE: MetricFamily =
    gauge("announcer_read_age_seconds", "How long ago a driver's routes were read.");
const FAILING: MetricFamily =
    gauge("announcer_failing", "1 while a driver's routes could not be read the last time.");
const REFUSED: MetricFamily = gauge(
    "announcer_refused",
    "1 while a routing daemon takes no change, such as for a fault in its configuration.",
);
const FAILURES: MetricFamily = counter(
    "announcer_failures_total",
    "Runs of a driver that ended with something not as it is wanted.",
);

pub(super) fn write(listing: &AnnouncementListing, page: &mut MetricsPage) {
    let AnnouncementListing { announcements, drivers } = listing;
    let prefixes: Vec<_> = announcements.iter().map(|it| (it.prefix().to_string(), it)).collect();
    page.family(&ANNOUNCEMENT);
    for (prefix, it) in &prefixes {
        for standing in VipStanding::ALL {
            let labels = [("prefix", prefix.as_str()), ("state", standing.as_str())];
            page.series(&ANNOUNCEMENT, &labels, flag(it.view.standing == standing));
        }
    }
    page.family(&HELD);
    for (prefix, it) in &prefixes {
        page.series(&HELD, &[("prefix", prefix)], flag(it.view.held.is_some()));
    }
    page.family(&CHANGES);
    for (prefix, it) in &prefixes {
        page.series(&CHANGES, &[("prefix", prefix)], count(it.view.changes));
    }
    page.family(&PLACED);
    for (prefix, it) in &prefixes {
        let Some(wanted) = it.view.standing.wanted() else { continue };
        for (driver, placed) in &it.placed {
            let labels = [("prefix", prefix.as_str()), ("driver", *driver)];
            page.series(&PLACED, &labels, flag(placed.is_as(wanted)));
        }
    }
    page.family(&READ_AGE);
    for driver in drivers {
        if let Some(ago) = driver.read_ago {
            page.series(&READ_AGE, &[("driver", driver.name)], ago.as_secs_f64());
        }
    }
    page.family(&FAILING);
    for driver in drivers {
        page.series(&FAILING, &[("driver", driver.name)], flag(driver.error.is_some()));
    }
    page.family(&REFUSED);
    for driver in drivers {
        page.series(&REFUSED, &[("driver", driver.name)], flag(driver.refusal.is_some()));
    }
    page.family(&FAILURES);
    for driver in drivers {
        page.series(&FAILURES, &[("driver", driver.name)], count(driver.failures));
    }
}
