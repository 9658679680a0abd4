//! Tests that what is undone is as it was.

use super::*;

const NO_TERMS: OverrideTerms = OverrideTerms { lasts: None, reason: None };

/// What a daemon holds for a backend: the file's word, and an operator's.
#[derive(Clone, Debug, PartialEq)]
struct HeldAdmin {
    configured: AdminWord,
    set: Option<(AdminWord, OverrideTerms)>,
}

impl HeldAdmin {
    fn admin(&self) -> AdminWord {
        self.set.as_ref().map_or(self.configured, |(admin, _)| *admin)
    }

    /// By the rules of the daemon (`domain::controller::commands`).
    fn does(&self, change: BackendChange, terms: &OverrideTerms) -> Self {
        let to = match (change, self.admin()) {
            (BackendChange::Pause, AdminWord::Disabled) => panic!("refused"),
            (BackendChange::Unset, _) => self.configured,
            (BackendChange::Disable, _) => AdminWord::Disabled,
            (BackendChange::Pause, _) | (BackendChange::Enable, AdminWord::Paused) => {
                AdminWord::Paused
            }
            _ => AdminWord::Enabled,
        };
        let set = (to != self.configured).then(|| (to, terms.clone()));
        Self { set, ..self.clone() }
    }

    fn info(&self) -> pb::BackendInfo {
        let word = |admin| match admin {
            AdminWord::Enabled => "enabled",
            AdminWord::Paused => "paused",
            AdminWord::Disabled => "disabled",
        };
        let state = match self.admin() {
            AdminWord::Enabled => "up",
            other => word(other),
        };
        let admin_override = self.set.as_ref().map(|(admin, terms)| pb::OverrideInfo {
            value: word(*admin).into(),
            configured: word(self.configured).into(),
            why: terms.reason.clone().unwrap_or_default(),
            left_ns: terms.lasts.map(nanoseconds),
            ..Default::default()
        });
        let enabled = self.admin() != AdminWord::Disabled;
        pb::BackendInfo { state: state.into(), enabled, admin_override, ..Default::default() }
    }
}

#[test]
fn whatever_was_set_is_held_again_with_its_reason_and_what_was_left() {
    use BackendChange::{Disable, Enable, Pause, Resume, Unset};
    let kept =
        || OverrideTerms { lasts: Some(Duration::from_secs(77)), reason: Some("kernel".into()) };
    let mut tried = 0;
    for configured in [AdminWord::Enabled, AdminWord::Disabled] {
        for set in
            [None, Some(AdminWord::Enabled), Some(AdminWord::Paused), Some(AdminWord::Disabled)]
        {
            if set == Some(configured) {
                continue;
            }
            let before = HeldAdmin { configured, set: set.map(|admin| (admin, kept())) };
            for change in [Pause, Resume, Enable, Disable, Unset] {
                if before.admin() == AdminWord::Disabled && matches!(change, Pause | Resume) {
                    continue;
                }
                let after = before.does(change, &NO_TERMS);
                let back = undo_admin(change, &NO_TERMS, &before.info());
                let ended = back
                    .iter()
                    .fold(after.clone(), |held, (change, terms)| held.does(*change, terms));
                assert_eq!(ended.admin(), before.admin(), "{change:?} of {before:?}: {back:?}");
                assert_eq!(ended.set.is_some(), before.set.is_some(), "{change:?} of {before:?}");
                let is_new = after.admin() != before.admin();
                assert_eq!(back.is_empty(), !is_new, "{change:?} of {before:?}");
                if is_new && before.admin() != AdminWord::Enabled {
                    assert_eq!(ended, before, "{change:?} of {before:?}: {back:?}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 20, "{tried}");
}

#[test]
fn a_weight_is_set_back_or_unset() {
    let (pool, backend) = ("main".to_owned(), "web1".to_owned());
    let before = |weight_override| {
        let member = pb::PoolBackendInfo {
            name: "web1".into(),
            weight: 50,
            weight_override,
            ..Default::default()
        };
        let pools = vec![pb::PoolInfo { name: "main".into(), backends: vec![member] }];
        let frontend = pb::FrontendInfo { pools, ..Default::default() };
        let (pool, backend) = (pool.clone(), backend.clone());
        CliAnswer::WeightSet { frontend, pool, backend, is_to_end: false }
    };
    let set = |weight, terms| DaemonRequest::SetWeight {
        frontend: "www".into(),
        pool: pool.clone(),
        backend: backend.clone(),
        weight,
        terms,
    };
    let as_in_file = before(None);
    assert_eq!(undo(&set(Some(7), NO_TERMS), &as_in_file), [set(None, NO_TERMS)]);
    assert_eq!(undo(&set(Some(50), NO_TERMS), &as_in_file), []);
    let configured = "100".to_owned();
    let overridden =
        before(Some(pb::OverrideInfo { configured, why: "test".into(), ..Default::default() }));
    let terms = OverrideTerms { lasts: None, reason: Some("test".into()) };
    assert_eq!(undo(&set(Some(7), NO_TERMS), &overridden), [set(Some(50), terms.clone())]);
    assert_eq!(undo(&set(None, NO_TERMS), &overridden), [set(Some(50), terms)]);
}
