//! The laws of overrides: how each ends, and that a restart changes none.

use std::time::Instant;

use proptest::prelude::*;

use super::any_command::any_command;
use super::*;
use crate::domain::announce::orders::AnnounceScope;
use crate::domain::drain::{DrainOrder, DrainTimeout};
use crate::domain::events::Changed;
use crate::domain::overrides::{Overridden, OverrideEnd, Reason};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn any_commands() -> impl Strategy<Value = Vec<(OverrideCommand, Option<u64>, u64)>> {
    let lasts = prop::option::of(1u64..1000);
    prop::collection::vec((any_command(), lasts, 0u64..500), 1..20)
}

fn moment(start: Instant, seconds: u64) -> Moment {
    let after = Duration::from_secs(seconds);
    Moment { monotonic: start + after, wall: START + DAY * 1000 + after }
}

fn given(command: OverrideCommand, lasts: Option<u64>, at: Moment) -> OperatorCommand {
    let lasts = lasts.map(Duration::from_secs);
    let why = Reason::try_from("kernel upgrade").ok();
    OperatorCommand { command, who: "me".into(), why, lasts, at }
}

/// A controller after these commands, each at its time after `start`.
fn after(
    start: Instant,
    commands: &[(OverrideCommand, Option<u64>, u64)],
) -> (ControllerState, u64) {
    let (mut controller, mut now) = (started(), 0);
    for (command, lasts, wait) in commands {
        now += wait;
        controller.expire_overrides(moment(start, now));
        // It may be refused.
        let _ = controller.give(&given(command.clone(), *lasts, moment(start, now)));
    }
    (controller, now)
}

fn changes(effects: &[ControllerEffect]) -> Vec<Change> {
    let changes = effects.iter().filter_map(|effect| match effect {
        ControllerEffect::Publish(Event::Change(change)) => Some((**change).clone()),
        _ => None,
    });
    changes.collect()
}

fn ends(effects: &[ControllerEffect]) -> Vec<(String, OverrideEnd)> {
    let ends = effects.iter().filter_map(|effect| match effect {
        ControllerEffect::OverrideEnded { entry, end, .. } => Some((entry.what.to_string(), *end)),
        _ => None,
    });
    ends.collect()
}

/// Who ordered which drain of which backend and when, and how long it has lasted.
fn drains(
    controller: &ControllerState,
    now: Instant,
) -> Vec<(BackendName, DrainOrder, String, SystemTime, Duration)> {
    let all = controller.drains.by_backend.iter().map(|(name, followed)| {
        let drain = &followed.drain;
        (name.clone(), drain.order(), drain.who().to_owned(), drain.since(), drain.lasted(now))
    });
    all.collect()
}

/// Each backend's administrative state and each weight, by what the controller does.
fn effective(controller: &ControllerState) -> Vec<String> {
    let admins = controller.backends.iter().map(|(name, it)| format!("{name} {:?}", it.admin));
    let weights = controller.frontend("web").unwrap().pools.into_iter().flat_map(|it| it.backends);
    admins.chain(weights.map(|it| format!("{} {}", it.name, it.weight))).collect()
}

proptest! {
    /// However the wall clock is set meanwhile, an override ends when its time has passed
    /// by the monotonic clock: neither before nor after.
    #[test]
    fn no_step_of_the_wall_clock_ends_or_prolongs_an_override(
        commands in any_commands(),
        looks in prop::collection::vec((0u64..400, 0u64..2000), 1..10),
    ) {
        let start = Instant::now();
        let (mut controller, mut now) = after(start, &commands);
        for (wait, days) in looks {
            now += wait;
            let before: Vec<_> = controller.overrides().entries().collect();
            let wall = START + DAY * u32::try_from(days).unwrap();
            let at = Moment { wall, ..moment(start, now) };
            let effects = controller.expire_overrides(at);
            let (over, stay): (Vec<_>, Vec<_>) = before.into_iter().partition(|entry| {
                let lasts = entry.origin.term.until.map(|until| until.duration_since(entry.origin.term.since).unwrap());
                lasts.is_some_and(|lasts| entry.origin.term.age(at.monotonic) >= lasts)
            });
            let expected: Vec<_> = over.iter().map(|entry| (entry.what.to_string(), OverrideEnd::Expired)).collect();
            prop_assert_eq!(ends(&effects), expected);
            prop_assert_eq!(controller.overrides().entries().collect::<Vec<_>>(), stay);
            for change in changes(&effects) {
                prop_assert_eq!((&*change.who, change.ended), (Change::TIME, Some(OverrideEnd::Expired)));
            }
        }
    }

    /// Once every override was unset, or has expired, all is as without any.
    #[test]
    fn without_overrides_the_file_is_in_force(commands in any_commands(), by_time in any::<bool>()) {
        let start = Instant::now();
        let commands: Vec<_> = commands
            .into_iter()
            .map(|(command, lasts, wait)| (command, if by_time { lasts.or(Some(7)) } else { lasts }, wait))
            .collect();
        let (mut controller, now) = after(start, &commands);
        if by_time {
            controller.expire_overrides(moment(start, now + 1000));
        }
        for entry in controller.overrides().clone().entries() {
            let command = match &entry.what {
                Overridden::Admin { backend, .. } => OverrideCommand::Admin {
                    backend: backend.to_string(),
                    command: AdminCommand::Unset,
                },
                Overridden::Weight { frontend, pool, backend, .. } => OverrideCommand::Weight {
                    frontend: frontend.to_string(),
                    pool: pool.to_string(),
                    backend: backend.to_string(),
                    weight: None,
                },
                Overridden::Announcement { scope, .. } => OverrideCommand::Announcement {
                    subject: match scope {
                        AnnounceScope::All => AnnounceSubject::All,
                        AnnounceScope::Prefix(prefix) => AnnounceSubject::Prefix(*prefix),
                    },
                    order: None,
                },
            };
            let effects = controller.give(&given(command, None, moment(start, now))).unwrap();
            prop_assert_eq!(ends(&effects), [(entry.what.to_string(), OverrideEnd::Unset)]);
            prop_assert_eq!(changes(&effects)[0].ended, Some(OverrideEnd::Unset));
        }
        prop_assert!(controller.overrides().is_empty());
        prop_assert_eq!(effective(&controller), effective(&started()));
    }

    /// A restart goes on with the overrides that there were, before any probe: the same
    /// backends are paused and disabled, with the same weights.
    #[test]
    fn a_restart_changes_no_override(commands in any_commands(), away in 0u64..1500) {
        let start = Instant::now();
        let (mut controller, now) = after(start, &commands);
        let stored = controller.overrides().clone();
        let back = moment(start, now + away);
        let (restarted, effects) = ControllerState::restored(Arc::new(config()), &stored, back);
        // What has ended meanwhile, and no more.
        let expected = ends(&controller.expire_overrides(back));
        prop_assert_eq!(ends(&effects), expected);
        prop_assert_eq!(restarted.overrides(), controller.overrides());
        prop_assert_eq!(effective(&restarted), effective(&controller));
        let drained = drains(&restarted, back.monotonic);
        prop_assert_eq!(&drained, &drains(&controller, back.monotonic));
        // Each goes on to its timeout, and no less than what it takes to count its flows.
        let timers: Vec<_> = effects.iter().filter_map(|effect| match effect {
            ControllerEffect::SetDrainTimer(_, after) => Some(*after),
            _ => None,
        }).collect();
        let left = drained.iter().filter_map(|(_, order, .., lasted)| {
            let left = order.timeout?.after.saturating_sub(*lasted);
            Some(left.max(Duration::from_secs(60)))
        });
        prop_assert_eq!(timers, left.collect::<Vec<_>>());
        for (name, record) in &restarted.backends {
            let is_out = matches!(record.admin, Admin::Paused | Admin::Disabled);
            prop_assert_eq!(is_out, matches!(record.state, State::Paused | State::Disabled), "{}", name);
            let server = &restarted.desired().frontends["web"].servers[&record.address.unwrap()];
            prop_assert_eq!(is_out, server.weight == TargetWeight::Weight(Weight::ZERO), "{}", name);
        }
    }

    /// The file wins where it says something else than when the override was set, at a
    /// reload and at a start; elsewhere the override stays.
    #[test]
    fn a_change_of_the_file_ends_what_it_is_about_and_nothing_else(
        commands in any_commands(),
        disabled in any::<[bool; 3]>(),
        weights in prop::collection::vec(0i64..3, 3),
        is_announced in any::<bool>(),
    ) {
        let start = Instant::now();
        let (mut controller, now) = after(start, &commands);
        let stored = controller.overrides().clone();
        let mut changed = config();
        for (name, disabled) in ["a", "b", "c"].into_iter().zip(disabled) {
            backend(&mut changed, name).enabled = !disabled;
        }
        let members = [(0, "a"), (0, "b"), (1, "c")];
        for ((pool, name), weight) in members.into_iter().zip(&weights) {
            let weight = Weight::try_from(100 - weight / 2).unwrap();
            let pools = &mut changed.frontends.get_mut("web").unwrap().pools;
            pools[pool].backends.insert(name.into(), weight);
        }
        if !is_announced {
            changed.frontends.get_mut("web").unwrap().announce = None;
        }
        let is_kept = |what: &Overridden| match what {
            Overridden::Admin { backend, configured, .. } => {
                (*configured == Admin::Enabled) == changed.backends[backend].enabled
            }
            Overridden::Weight { pool, backend, configured, .. } => {
                let pools = &changed.frontends["web"].pools;
                pools.iter().find(|it| it.name == *pool).unwrap().backends[backend] == *configured
            }
            Overridden::Announcement { scope, .. } => *scope == AnnounceScope::All || is_announced,
        };
        let expected: Vec<_> = stored.entries().filter(|entry| is_kept(&entry.what)).collect();
        let dropped = stored.entries().count() - expected.len();
        let effects = controller.reload(Arc::new(changed.clone()), START);
        prop_assert_eq!(controller.overrides().entries().collect::<Vec<_>>(), expected.clone());
        prop_assert_eq!(ends(&effects).len(), dropped);
        let told = changes(&effects).into_iter().filter(|it| it.ended == Some(OverrideEnd::Reconfigured));
        prop_assert_eq!(told.count(), dropped);
        let at = moment(start, now);
        let (restarted, effects) = ControllerState::restored(Arc::new(changed), &stored, at);
        prop_assert_eq!(restarted.overrides(), controller.overrides());
        prop_assert_eq!(ends(&effects).len(), dropped);
    }
}

#[test]
fn an_override_says_who_why_and_until() {
    let start = Instant::now();
    let mut controller = started();
    let pause = OverrideCommand::Admin { backend: "a".into(), command: AdminCommand::Pause };
    let at = moment(start, 0);
    let effects = controller.give(&given(pause.clone(), Some(60), at)).unwrap();
    let ControllerEffect::Administer { why, admin: Admin::Paused, .. } = &effects[0] else {
        panic!()
    };
    assert_eq!(why, "pause by me: kernel upgrade");
    let [change] = &changes(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((&*change.who, change.overridden, change.ended), ("me", true, None));
    assert_eq!(change.why.as_ref().unwrap().as_str(), "kernel upgrade");
    assert_eq!(change.until, Some(at.wall + Duration::from_secs(60)));
    let entry = controller.backend("a").unwrap().admin_override.unwrap();
    assert_eq!(entry.what.to_string(), "paused of backend a");
    // By somebody else, for ever: that replaces it, and ends nothing.
    let again = OperatorCommand { who: "you".into(), ..given(pause, None, moment(start, 5)) };
    let effects = controller.give(&again).unwrap();
    let [change] = &changes(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((&*change.who, change.until, change.ended), ("you", None, None));
    assert_eq!(
        change.what,
        Changed::Admin { backend: "a".into(), from: Admin::Paused, to: Admin::Paused }
    );
    assert_eq!(controller.expire_overrides(moment(start, 3600)), []);
    // By the same operator and for the same reason, with an end and without one.
    let ends = |controller: &ControllerState| {
        controller.backend("a").unwrap().admin_override.unwrap().origin.term.until.is_some()
    };
    for lasts in [Some(Duration::from_secs(60)), None] {
        controller.give(&OperatorCommand { lasts, ..again.clone() }).unwrap();
        assert_eq!(ends(&controller), lasts.is_some());
    }
    // The same again is nothing new.
    let since = |controller: &ControllerState| {
        controller.backend("a").unwrap().admin_override.unwrap().origin.term.since
    };
    let before = since(&controller);
    let effects = controller.give(&OperatorCommand { at: moment(start, 9), ..again }).unwrap();
    assert_eq!((changes(&effects), since(&controller)), (vec![], before));
}

#[test]
fn a_drain_goes_on_after_a_restart_and_ends_with_its_pause_all_the_same() {
    let start = Instant::now();
    let mut controller = started();
    let timeout = Some(DrainTimeout { after: DAY, flush: true });
    let order = DrainOrder { timeout };
    let drain = OverrideCommand::Drain { backend: "a".into(), order };
    controller.give(&given(drain, None, moment(start, 0))).unwrap();
    let stored = controller.overrides().clone();
    let back = moment(start, 7200);
    let (mut restarted, effects) = ControllerState::restored(Arc::new(config()), &stored, back);
    let told: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            ControllerEffect::Publish(Event::Drain(drain)) => Some(drain.why.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["maglevd has restarted; ordered by me"]);
    let view = restarted.backend("a").unwrap().drain.unwrap().view(back.monotonic);
    assert_eq!(
        (view.lasted, view.left),
        (Duration::from_secs(7200), Some(DAY - Duration::from_secs(7200)))
    );
    // A pause of it stops the counting, over restarts too.
    let pause = OverrideCommand::Admin { backend: "a".into(), command: AdminCommand::Pause };
    restarted.give(&given(pause, None, back)).unwrap();
    assert!(restarted.backend("a").unwrap().drain.is_none());
    let stored = restarted.overrides().clone();
    let (again, _) = ControllerState::restored(Arc::new(config()), &stored, back);
    assert!(again.backend("a").unwrap().drain.is_none());
    assert_eq!(again.backend("a").unwrap().state, State::Paused);
}

#[test]
fn what_would_not_last_is_refused() {
    let start = Instant::now();
    let mut controller = started();
    let admin = |command| OverrideCommand::Admin { backend: "a".into(), command };
    let full = OverrideCommand::Weight {
        frontend: "web".into(),
        pool: "main".into(),
        backend: "a".into(),
        weight: Some(Weight::FULL),
    };
    for command in [admin(AdminCommand::Enable), admin(AdminCommand::Resume), full] {
        let refused = controller.give(&given(command, Some(60), moment(start, 0))).unwrap_err();
        assert!(matches!(refused, CommandRefused::NothingLasts { .. }), "{refused}");
    }
    controller.give(&given(admin(AdminCommand::Pause), None, moment(start, 0))).unwrap();
    let refused = controller.give(&given(admin(AdminCommand::Enable), Some(60), moment(start, 0)));
    assert!(
        matches!(refused, Err(CommandRefused::NothingLasts { .. })),
        "enable takes no pause back"
    );
}
