//! Commands of operators, at random.

use proptest::prelude::*;

use super::*;
use crate::domain::announce::orders::AnnounceOrder;
use crate::domain::drain::{DrainOrder, DrainTimeout};

/// What an operator may do, to one of a few items.
pub(super) fn any_command() -> impl Strategy<Value = OverrideCommand> {
    let backend = prop::sample::select(vec!["a", "b", "c"]);
    let admin = prop::sample::select(vec![
        AdminCommand::Pause,
        AdminCommand::Resume,
        AdminCommand::Enable,
        AdminCommand::Disable,
        AdminCommand::Unset,
        AdminCommand::Undrain,
    ]);
    let admin = (backend, admin)
        .prop_map(|(backend, command)| OverrideCommand::Admin { backend: backend.into(), command });
    let member = prop::sample::select(vec![("main", "a"), ("main", "b"), ("spare", "c")]);
    let weight = prop::option::of(0i64..=100);
    let weight = (member, weight).prop_map(|((pool, backend), weight)| OverrideCommand::Weight {
        frontend: "web".into(),
        pool: pool.into(),
        backend: backend.into(),
        weight: weight.map(|weight| Weight::try_from(weight).unwrap()),
    });
    let timeout = prop::option::of((1u64..3000, any::<bool>()));
    let backend = prop::sample::select(vec!["a", "b", "c"]);
    let drain = (backend, timeout).prop_map(|(backend, timeout)| {
        let timeout =
            timeout.map(|(after, flush)| DrainTimeout { after: Duration::from_secs(after), flush });
        OverrideCommand::Drain { backend: backend.into(), order: DrainOrder { timeout } }
    });
    let subject = prop::sample::select(vec![
        AnnounceSubject::All,
        AnnounceSubject::Frontend("web".into()),
        AnnounceSubject::Prefix("192.0.2.1/32".parse().unwrap()),
    ]);
    let order = prop::option::of(prop::sample::select(AnnounceOrder::ALL.to_vec()));
    let announcement = (subject, order)
        .prop_map(|(subject, order)| OverrideCommand::Announcement { subject, order });
    prop_oneof![2 => admin, 2 => weight, 1 => drain, 1 => announcement]
}
