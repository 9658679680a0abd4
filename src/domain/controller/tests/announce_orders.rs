//! What operators order of announcements: what the Announcer is told, and what ends it.

use super::*;
use crate::domain::announce::orders::{AnnounceOrder, AnnounceScope};
use crate::domain::announce::placement::VipPrefix;
use crate::domain::events::Changed;

const WEB: VipPrefix = VipPrefix::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

fn unannounced() -> Config {
    let mut config = config();
    config.frontends.get_mut("web").unwrap().announce = None;
    config
}

fn controller(config: Config) -> ControllerState {
    ControllerState::new(Arc::new(config), START).0
}

fn order(
    controller: &mut ControllerState,
    subject: AnnounceSubject,
    order: Option<AnnounceOrder>,
) -> Result<Vec<ControllerEffect>, CommandRefused> {
    controller.command(OverrideCommand::Announcement { subject, order }, ("ann", START))
}

/// What counts for the prefix by what the Announcer was told last; `None`: the rules.
fn told(controller: &mut ControllerState) -> Option<AnnounceOrder> {
    let orders = controller.announce_update().map(|update| update.orders);
    let orders = orders.unwrap_or_else(|| controller.announce.told.orders.clone());
    orders.of(WEB).map(|given| given.order)
}

/// What events say of orders: from and to.
fn changes(effects: &[ControllerEffect]) -> Vec<(Option<AnnounceOrder>, Option<AnnounceOrder>)> {
    let change = |effect: &ControllerEffect| match effect {
        ControllerEffect::Publish(Event::Change(change)) => match &change.what {
            Changed::Announcement { from, to, .. } => Some((*from, *to)),
            _ => None,
        },
        _ => None,
    };
    effects.iter().filter_map(change).collect()
}

#[test]
fn an_order_is_told_to_the_announcer_and_published_until_it_is_ended() {
    use AnnounceOrder::{Announce, Drain, Withdraw};
    let mut controller = controller(config());
    assert_eq!(told(&mut controller), None);
    let of_web = || AnnounceSubject::Frontend("web".into());
    let effects = order(&mut controller, of_web(), Some(Drain)).unwrap();
    assert_eq!(changes(&effects), [(None, Some(Drain))]);
    assert_eq!(told(&mut controller), Some(Drain));
    let of_prefix = AnnounceSubject::Prefix(WEB);
    let effects = order(&mut controller, of_prefix, Some(Announce)).unwrap();
    assert_eq!(changes(&effects), [(Some(Drain), Some(Announce))]);
    assert_eq!(told(&mut controller), Some(Announce));
    order(&mut controller, AnnounceSubject::All, Some(Withdraw)).unwrap();
    assert_eq!(told(&mut controller), Some(Withdraw));
    order(&mut controller, AnnounceSubject::All, None).unwrap();
    assert_eq!(told(&mut controller), Some(Announce), "that of the address is in force again");
    let effects = order(&mut controller, of_web(), None).unwrap();
    assert_eq!(changes(&effects), [(Some(Announce), None)]);
    assert_eq!(told(&mut controller), None);
    assert_eq!(changes(&order(&mut controller, of_web(), None).unwrap()), []);
}

#[test]
fn an_order_ends_when_its_time_is_over() {
    let mut controller = controller(config());
    let subject = AnnounceSubject::All;
    let command = OverrideCommand::Announcement { subject, order: Some(AnnounceOrder::Withdraw) };
    let at = Moment { monotonic: Instant::now(), wall: START };
    let lasts = Some(Duration::from_secs(60));
    let given = OperatorCommand { command, who: "ann".into(), why: None, lasts, at };
    controller.give(&given).unwrap();
    let later = |seconds| {
        let passed = Duration::from_secs(seconds);
        Moment { monotonic: at.monotonic + passed, wall: at.wall + passed }
    };
    assert_eq!(controller.overrides().next_end(), Some(later(60).monotonic));
    assert_eq!(controller.expire_overrides(later(59)), []);
    assert_eq!(told(&mut controller), Some(AnnounceOrder::Withdraw));
    let effects = controller.expire_overrides(later(60));
    assert_eq!(changes(&effects), [(Some(AnnounceOrder::Withdraw), None)]);
    assert_eq!(told(&mut controller), None);
}

#[test]
fn a_reload_ends_the_order_of_an_address_that_is_announced_no_more_and_no_other() {
    use AnnounceOrder::{Drain, Withdraw};
    let mut controller = controller(config());
    order(&mut controller, AnnounceSubject::Prefix(WEB), Some(Drain)).unwrap();
    order(&mut controller, AnnounceSubject::All, Some(Withdraw)).unwrap();
    let mut renamed = config();
    let web = renamed.frontends.remove("web").unwrap();
    renamed.frontends.insert("www".into(), web);
    let effects = controller.reload(Arc::new(renamed), START);
    assert_eq!(changes(&effects), [], "it is an address that is ordered, and no name");
    assert_eq!(controller.overrides().entries().count(), 2);
    let effects = controller.reload(Arc::new(unannounced()), START);
    assert_eq!(changes(&effects), [(Some(Drain), None)]);
    let left: Vec<_> = controller.overrides().entries().map(|it| it.what.to_string()).collect();
    assert_eq!(left, ["withdraw of announcement all"]);
    assert_eq!(changes(&order(&mut controller, AnnounceSubject::All, None).unwrap()).len(), 1);
}

#[test]
fn what_is_not_announced_takes_no_order() {
    let withdraw = Some(AnnounceOrder::Withdraw);
    let refused = |controller: &mut ControllerState, subject| {
        order(controller, subject, withdraw).unwrap_err()
    };
    let (mut some, mut none) = (controller(config()), controller(unannounced()));
    let other: VipPrefix = "192.0.2.7/32".parse().unwrap();
    let named = |name: &str| AnnounceSubject::Frontend(name.into());
    let no_such = CommandRefused::NoAnnouncement(other);
    assert_eq!(refused(&mut some, AnnounceSubject::Prefix(other)), no_such);
    assert_eq!(refused(&mut some, named("www")), CommandRefused::NoFrontend("www".into()));
    assert_eq!(refused(&mut none, named("web")), CommandRefused::NotAnnounced("web".into()));
    assert_eq!(refused(&mut none, AnnounceSubject::All), CommandRefused::NothingAnnounced);
    assert_eq!(some.announce_scope(&named("web")), Ok(AnnounceScope::Prefix(WEB)));
}
