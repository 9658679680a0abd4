//! What keeps the messages of one dialect from a VPP of another.

use super::membership::MembershipDialect;
use super::weights::WeightsDialect;
use crate::vpp::client::connection::{AnyVpp, RequiredMessages, SpokenIn};
use crate::vpp::wire::{
    CliInband, LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbAsV2Dump, LbConfGet, LbConfSet,
    LbVipDump, LegacyAddDelAs, LegacyAddDelVipV2, LegacyAsDump, MessageTable,
};

/// Does not compile once `$message` is [`SpokenIn`] `$dialect`: then there are
/// two traits that could be meant.
macro_rules! not_spoken {
    ($dialect:ty: $($message:ty),+) => {$({
        trait MayBeSpoken<A> {
            const NOT: () = ();
        }
        struct Spoken;
        impl<T: ?Sized> MayBeSpoken<()> for T {}
        impl<T: SpokenIn<$dialect>> MayBeSpoken<Spoken> for T {}
        <$message as MayBeSpoken<_>>::NOT
    })+};
}

#[test]
fn messages_are_sent_in_their_own_dialect_and_cli_lines_only_by_name() {
    not_spoken!(AnyVpp: LbConfSet, LbConfGet, LbAddDelVipV2, LbAddDelAsV2, LbAsSetWeight);
    not_spoken!(AnyVpp: LbVipDump, LbAsV2Dump);
    not_spoken!(AnyVpp: CliInband);
    not_spoken!(WeightsDialect: CliInband);
    not_spoken!(MembershipDialect: CliInband);
    // What is encoded in two ways.
    not_spoken!(AnyVpp: LegacyAddDelVipV2, LegacyAddDelAs, LegacyAsDump);
    not_spoken!(WeightsDialect: LegacyAddDelVipV2, LegacyAddDelAs, LegacyAsDump);
    not_spoken!(MembershipDialect: LbConfGet, LbAddDelVipV2, LbAddDelAsV2, LbAsSetWeight);
    not_spoken!(MembershipDialect: LbVipDump, LbAsV2Dump);
}

/// The keys of these messages, numbered.
fn table(keys: impl IntoIterator<Item = String>) -> MessageTable {
    MessageTable::new((1..).zip(keys))
}

#[test]
fn no_message_table_is_of_both_dialects() {
    let legacy = MembershipDialect::missing(&MessageTable::default());
    assert_eq!(legacy.len(), 16);
    assert_eq!(MembershipDialect::missing(&table(legacy.clone())), Vec::<String>::new());
    let weights = WeightsDialect::missing(&MessageTable::default());
    assert!(!WeightsDialect::missing(&table(legacy.clone())).is_empty());
    // One message of those that came with cured encodings is enough, whatever its
    // checksum is.
    for later in ["lb_conf_get_00000bad", "lb_add_del_as_v2_2f1d3b0e", "lb_as_v2_dump_1063f819"] {
        let both = table(legacy.iter().cloned().chain([later.to_owned()]));
        assert_eq!(
            MembershipDialect::missing(&both),
            [format!("lb.api 1.1.0 (this VPP has {later})")]
        );
    }
    let both = table(legacy.into_iter().chain(weights));
    assert!(WeightsDialect::missing(&both).is_empty());
    assert!(!MembershipDialect::missing(&both).is_empty());
}

#[test]
fn what_is_missing_or_changed_is_named() {
    let everything = WeightsDialect::missing(&MessageTable::default());
    assert_eq!(everything.len(), 22);
    let known = everything.iter().zip(1..).map(|(key, id)| (id, key.clone()));
    assert_eq!(WeightsDialect::missing(&MessageTable::new(known.clone())), Vec::<String>::new());
    let changed = known.map(|(id, key)| match key.as_str() {
        "lb_conf_get_51077d14" => (id, "lb_conf_get_00000bad".to_owned()),
        _ => (id, key),
    });
    assert_eq!(
        WeightsDialect::missing(&MessageTable::new(changed)),
        ["lb_conf_get_51077d14 (this VPP has lb_conf_get_00000bad)"]
    );
}
