//! Texts: what is written is read back, and nothing else is read as something.

use std::time::Instant;

use proptest::prelude::*;

use super::*;

const SAMPLE: &str = include_str!("../../../tests/data/state/overrides.json");
const WITH_DRAIN: &str = include_str!("../../../tests/data/state/drains.json");
const WITH_ANNOUNCEMENTS: &str = include_str!("../../../tests/data/state/announcements.json");

fn at(seconds: u64) -> Moment {
    let wall = UNIX_EPOCH + Duration::from_secs(seconds);
    Moment { monotonic: Instant::now(), wall }
}

/// All of an override but how the clocks stood.
type EntryValues = (Overridden, String, Option<Reason>, SystemTime, Option<DrainOrder>);

fn entries(set: &OverrideSet) -> Vec<EntryValues> {
    let entries = set.entries();
    let of = |entry: OverrideEntry| {
        let OverrideOrigin { who, why, term, drain } = (*entry.origin).clone();
        (entry.what, who.to_string(), why, term.until.unwrap_or(term.since), drain)
    };
    entries.map(of).collect()
}

fn any_set(most: usize) -> impl Strategy<Value = OverrideSet> {
    let name = || prop::sample::select(vec!["web1", "web2", "größe", "v6"]);
    let who = "\\PC{1,20}".prop_filter("one line", |text| !text.chars().any(is_control));
    let why = prop::option::of("[ -~]{1,40}");
    let timeout = prop::option::of((any::<u64>().prop_map(Duration::from_nanos), any::<bool>()));
    let drain = prop::option::of(timeout.prop_map(|timeout| DrainOrder {
        timeout: timeout.map(|(after, flush)| DrainTimeout { after, flush }),
    }));
    let entry = (name(), prop::option::of(name()), 0u8..=100, who, why, 1u64..4_000_000_000, drain);
    let entry = entry.prop_map(|(backend, frontend, weight, who, why, since, drain)| {
        let is_paused = frontend.is_none() && weight % 2 == 0;
        let what = match frontend {
            Some("v6") => Overridden::Announcement {
                scope: match weight % 3 {
                    0 => AnnounceScope::All,
                    1 => AnnounceScope::Prefix("2001:db8::1/128".parse().unwrap()),
                    _ => AnnounceScope::Prefix("192.0.2.1/32".parse().unwrap()),
                },
                order: AnnounceOrder::ALL[usize::from(weight) % 3],
            },
            None => Overridden::Admin {
                backend: backend.into(),
                value: if weight % 2 == 0 { Admin::Paused } else { Admin::Disabled },
                configured: Admin::Enabled,
            },
            Some(frontend) => Overridden::Weight {
                frontend: frontend.into(),
                pool: "main".into(),
                backend: backend.into(),
                value: Weight::try_from(i64::from(weight)).unwrap(),
                configured: Weight::try_from(i64::from((weight + 1) % 101)).unwrap(),
            },
        };
        let since = UNIX_EPOCH + Duration::from_secs(since);
        let until = (weight > 50).then(|| since + Duration::from_nanos(7));
        let term = OverrideTerm::restored(since, until, at(0));
        let why = why.and_then(|why| Reason::try_from(&*why).ok());
        let origin = Arc::new(OverrideOrigin {
            who: who.into(),
            why,
            term,
            drain: drain.filter(|_| is_paused),
        });
        OverrideEntry { what, origin }
    });
    prop::collection::vec(entry, 0..=most).prop_map(|entries| {
        let mut set = OverrideSet::default();
        for entry in entries {
            set.insert(entry);
        }
        set
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(set in any_set(12)) {
        let text = encode(&set).unwrap();
        let read = decode(&text, at(5_000_000_000)).unwrap();
        prop_assert_eq!(entries(&read), entries(&set));
    }

    /// Cut off anywhere, a text is no text, but for its last line break.
    #[test]
    fn a_text_that_is_cut_off_is_none(set in any_set(3)) {
        let text = encode(&set).unwrap();
        for length in 0..text.len() - 1 {
            prop_assert!(decode(&text[..length], at(1)).is_err(), "{}", length);
        }
        let whole = decode(&text[..text.len() - 1], at(1)).unwrap();
        prop_assert_eq!(entries(&whole), entries(&set));
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes, at(1)).is_err());
    }
}

/// The text is part of the interface: an upgrade reads what the version before wrote.
#[test]
fn the_text_of_version_1_is_read_and_written_as_it_is() {
    let set = decode(SAMPLE.as_bytes(), at(1_795_852_800)).unwrap();
    assert_eq!(set.entries().count(), 2);
    assert_eq!(String::from_utf8(encode(&set).unwrap()).unwrap(), SAMPLE);
}

/// Version 2 has drains; without one the text is still that of version 1, which an older
/// daemon reads.
#[test]
fn the_text_of_version_2_is_read_and_written_as_it_is() {
    let set = decode(WITH_DRAIN.as_bytes(), at(1_795_852_800)).unwrap();
    let drains: Vec<_> = set.entries().map(|entry| entry.origin.drain).collect();
    let after = Duration::from_secs(600);
    let timeout = Some(DrainTimeout { after, flush: true });
    assert_eq!(drains, [Some(DrainOrder { timeout }), Some(DrainOrder { timeout: None }), None]);
    assert_eq!(String::from_utf8(encode(&set).unwrap()).unwrap(), WITH_DRAIN);
}

/// Version 3 has orders of announcements.
#[test]
fn the_text_of_version_3_is_read_and_written_as_it_is() {
    let set = decode(WITH_ANNOUNCEMENTS.as_bytes(), at(1_795_852_800)).unwrap();
    let orders = set.announce_orders();
    let order = |prefix: &str| orders.of(prefix.parse().unwrap()).map(|given| given.order);
    assert_eq!(order("192.0.2.80/32"), Some(AnnounceOrder::Withdraw));
    assert_eq!(set.announcement(AnnounceScope::All).unwrap().order, AnnounceOrder::Withdraw);
    assert_eq!(String::from_utf8(encode(&set).unwrap()).unwrap(), WITH_ANNOUNCEMENTS);
}

#[test]
fn what_is_wrong_is_said() {
    let other = |from: &str, to: &str| {
        assert!(SAMPLE.contains(from), "{from}");
        decode(SAMPLE.replacen(from, to, 1).as_bytes(), at(1)).unwrap_err().to_string()
    };
    for (from, to, part) in [
        ("vpp-maglev overrides", "somebody's file", "it is a file of \"somebody's file\""),
        (
            "\"version\": 1",
            "\"version\": 4",
            "it is of version 4, and this maglevd reads versions 1 to 3",
        ),
        ("\"who\"", "\"whom\"", "unknown field `whom`"),
        ("\"kind\": \"admin\"", "\"kind\": \"drain\"", "unknown variant `drain`"),
        ("\"web1\"", "\"web 1\"", "override 1: \"web 1\" is not a usable name"),
        ("\"paused\"", "\"asleep\"", "override 1: \"asleep\" is not enabled, paused or disabled"),
        ("\"paused\"", "\"enabled\"", "override 1: it sets what the configuration has"),
        ("\"weight\": 20", "\"weight\": 101", "override 2: "),
        ("\"weight\": 20", "\"weight\": 100", "override 2: it sets what the configuration has"),
        ("2026-11-28T05:00:00", "2026-11-31T05:00:00", "is not a moment as"),
        ("kernel upgrade", "kernel\\nupgrade", "override 1: the reason has a character"),
        ("uid 0 pid 4711", "uid\\u001b", "override 1: who set it is not one line"),
    ] {
        let fault = other(from, to);
        assert!(fault.contains(part), "{to}: {fault}");
    }
    for (from, to, fault) in [
        ("\"paused\"", "\"disabled\"", "override 1: its drain is of a backend that is not paused"),
        ("600000000000", "null", "override 1: its drain flushes without a timeout"),
        ("600000000000", "-1", "invalid value"),
        ("\"flush\"", "\"flash\"", "unknown field `flash`"),
    ] {
        assert!(WITH_DRAIN.contains(from), "{from}");
        let text = WITH_DRAIN.replacen(from, to, 1);
        let error = decode(text.as_bytes(), at(1)).unwrap_err().to_string();
        assert!(error.contains(fault), "{to}: {error}");
    }
    for (from, to, fault) in [
        ("\"withdraw\"", "\"leave\"", "override 2: \"leave\" is not announce, drain or withdraw"),
        ("192.0.2.80/32", "192.0.2.0/24", "override 3: \"192.0.2.0/24\" is no prefix"),
        ("192.0.2.80/32", "all", "override 3: it is the second for the same item"),
    ] {
        assert!(WITH_ANNOUNCEMENTS.contains(from), "{from}");
        let text = WITH_ANNOUNCEMENTS.replacen(from, to, 1);
        let error = decode(text.as_bytes(), at(1)).unwrap_err().to_string();
        assert!(error.contains(fault), "{to}: {error}");
    }
    let twice = SAMPLE.replace("\"overrides\": [", "\"overrides\": [\n    {\"kind\": \"admin\", \
        \"backend\": \"web1\", \"state\": \"disabled\", \"configured\": \"enabled\", \"who\": \"x\", \
        \"why\": null, \"since\": \"2026-11-28T05:00:00.000000000Z\", \"until\": null},");
    let fault = decode(twice.as_bytes(), at(1)).unwrap_err().to_string();
    assert!(fault.contains("override 2: it is the second for the same item"), "{fault}");
}
