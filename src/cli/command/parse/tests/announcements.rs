//! Tests of what is ordered of announcements.

use std::time::Duration;

use super::*;
use crate::cli::command::request::{AnnounceOrderWord, AnnounceWhich};

fn order(
    subject: AnnounceWhich,
    order: Option<AnnounceOrderWord>,
    lasts: Option<u64>,
    reason: Option<&str>,
) -> CliCommand {
    let lasts = lasts.map(Duration::from_secs);
    let terms = OverrideTerms { lasts, reason: reason.map(str::to_owned) };
    CliCommand::Request(DaemonRequest::OrderAnnouncement { subject, order, terms })
}

fn show(subject: Option<AnnounceWhich>) -> CliCommand {
    CliCommand::Request(DaemonRequest::ShowAnnouncements { subject })
}

#[test]
fn an_order_is_for_an_address_a_frontend_or_all() {
    use AnnounceOrderWord::{Announce, Drain, Withdraw};
    use AnnounceWhich::{Address, All, Frontend};
    let address = || Address("192.0.2.80".into());
    for (line, expected) in [
        ("set announcement 192.0.2.80 withdraw", order(address(), Some(Withdraw), None, None)),
        ("set a 192.0.2.80 w f 1h b x", order(address(), Some(Withdraw), Some(3600), Some("x"))),
        (
            "set announcement 2001:db8::1/128 drain",
            order(Address("2001:db8::1/128".into()), Some(Drain), None, None),
        ),
        (
            "set announcement web announce",
            order(Frontend("web".into()), Some(Announce), None, None),
        ),
        ("set announcement a w", order(Frontend("a".into()), Some(Withdraw), None, None)),
        ("set announcement all w", order(All, Some(Withdraw), None, None)),
        ("unset announcement 192.0.2.80", order(address(), None, None, None)),
        ("unset announcement all because done", order(All, None, None, Some("done"))),
        ("withdraw all for 1h", order(All, Some(Withdraw), Some(3600), None)),
        ("announce all because done", order(All, None, None, Some("done"))),
        ("show announcements", show(None)),
        ("sh a web", show(Some(Frontend("web".into())))),
        ("sh a 192.0.2.80/32", show(Some(Address("192.0.2.80/32".into())))),
    ] {
        assert_eq!(parsed(line), Ok(expected), "{line}");
    }
}

/// What takes a whole site away is not meant by a slip of the finger, and what operators are
/// used to type means what it did.
#[test]
fn the_whole_site_is_named_in_full() {
    for line in ["withdraw al", "withdraw", "announce a", "withdraw web"] {
        assert!(parsed(line).is_err(), "{line}");
    }
    assert_eq!(parsed("w s"), Ok(CliCommand::WatchState));
    let nearly = AnnounceWhich::Frontend("al".into());
    let withdraw = Some(AnnounceOrderWord::Withdraw);
    assert_eq!(parsed("set announcement al withdraw"), Ok(order(nearly, withdraw, None, None)));
}
