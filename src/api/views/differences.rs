//! What is not the same at several daemons that should do the same.

use std::collections::BTreeMap;

use super::explain::{DifferenceJson, DifferenceValueJson};
use crate::pb;

/// The values of one thing at each daemon, by what it is; `None`: it does not have it.
type ComparedValues = BTreeMap<(ComparedAspect, String), Vec<Option<String>>>;

/// What is compared, in the order of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ComparedAspect {
    Configuration,
    ConfigObject,
    Override,
    State,
    Weight,
    EffectiveWeight,
    Table,
}

impl ComparedAspect {
    /// The word in JSON.
    fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::ConfigObject => "config_object",
            Self::Override => "override",
            Self::State => "state",
            Self::Weight => "weight",
            Self::EffectiveWeight => "effective_weight",
            Self::Table => "table",
        }
    }
}

/// What is not the same at all daemons, each with its name. `None`: a daemon does not
/// have it.
#[must_use]
pub fn differences(found: &[(String, pb::Fingerprints)]) -> Vec<DifferenceJson> {
    // The usual case, which takes no memory.
    let is_same = |(_, other): &(String, pb::Fingerprints)| {
        let (_, first) = &found[0];
        (&other.config, &other.objects, &other.backends, &other.frontends)
            == (&first.config, &first.objects, &first.backends, &first.frontends)
    };
    if found.iter().all(is_same) {
        return Vec::new();
    }
    let mut values = ComparedValues::new();
    for (index, (_, fingerprints)) in found.iter().enumerate() {
        note(&mut values, index, found.len(), fingerprints);
    }
    name_dialects(&mut values, found);
    let mut differences = Vec::new();
    for ((aspect, what), values) in values {
        if values.iter().all(|value| value == &values[0]) {
            continue;
        }
        let values = found.iter().zip(values).map(|((server, _), value)| {
            let server = server.clone();
            DifferenceValueJson { server, value }
        });
        let aspect = aspect.as_str().to_owned();
        differences.push(DifferenceJson { aspect, what, values: values.collect() });
    }
    differences
}

/// Adds the dialects of the VPPs to tables that differ where those do: one is a reason for the
/// other. With weights of 0 and 1 alone the tables of both are equal.
fn name_dialects(values: &mut ComparedValues, found: &[(String, pb::Fingerprints)]) {
    let mut dialects: BTreeMap<&str, BTreeMap<usize, &str>> = BTreeMap::new();
    for (index, (_, fingerprints)) in found.iter().enumerate() {
        let known = fingerprints.frontends.iter().filter(|it| !it.dialect.is_empty());
        for frontend in known {
            dialects.entry(&frontend.name).or_default().insert(index, &frontend.dialect);
        }
    }
    for (frontend, dialects) in dialects {
        let of = (ComparedAspect::Table, format!("table of {frontend}"));
        let first = dialects.values().next();
        let Some(tables) = values.get_mut(&of) else { continue };
        let is_same = tables.iter().all(|table| table == &tables[0]);
        if is_same || dialects.values().all(|dialect| Some(dialect) == first) {
            continue;
        }
        for (index, dialect) in dialects {
            if let Some(table) = &mut tables[index] {
                table.push_str(&format!(" ({dialect})"));
            }
        }
    }
}

fn note(values: &mut ComparedValues, index: usize, of: usize, fingerprints: &pb::Fingerprints) {
    let pb::Fingerprints { config, objects, backends, frontends, .. } = fingerprints;
    let mut add = |aspect, what: String, value: String| {
        values.entry((aspect, what)).or_insert_with(|| vec![None; of])[index] = Some(value);
    };
    add(ComparedAspect::Configuration, "configuration".into(), config.clone());
    for object in objects {
        let what = format!("{} {} in the file", object.kind, object.name);
        add(ComparedAspect::ConfigObject, what, object.fingerprint.clone());
    }
    for backend in backends {
        let name = &backend.name;
        add(ComparedAspect::State, format!("backend {name}"), backend.state.clone());
        let value = match backend.admin_overridden {
            true => format!("{} by an operator", backend.admin),
            false => format!("{}, as in the file", backend.admin),
        };
        add(ComparedAspect::Override, format!("backend {name}"), value);
    }
    for frontend in frontends {
        let name = &frontend.name;
        add(ComparedAspect::State, format!("frontend {name}"), frontend.state.clone());
        let table = match frontend.table.as_str() {
            "" => "unknown: VPP was not read, or does not have it".into(),
            table => table.to_owned(),
        };
        add(ComparedAspect::Table, format!("table of {name}"), table);
        for weight in &frontend.weights {
            let of = format!("{} in {name}/{}", weight.backend_name, weight.pool_name);
            let value = match weight.overridden {
                true => format!("{} by an operator", weight.weight),
                false => format!("{}, as in the file", weight.weight),
            };
            add(ComparedAspect::Weight, format!("weight of {of}"), value);
            let effective = match weight.effective_weight {
                ..0 => "as VPP has it".into(),
                weight => weight.to_string(),
            };
            add(ComparedAspect::EffectiveWeight, format!("effective weight of {of}"), effective);
        }
    }
}
