//! How several daemons differ: a line each for what is not the same at all of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fan_out::at_all;
use crate::api::views::{DifferenceJson, DifferenceValueJson};
use crate::cli::error::{CliError, MultiIntent};
use crate::cli::render::context::{RenderContext, Tone};
use crate::cli::render::output::Output;
use crate::client::connection::{DaemonAccess, DaemonClient};
use crate::pb;

/// Asks all daemons, and writes how they differ.
///
/// # Errors
/// [`CliError::Failed`] where they do; [`CliError::Several`] when one of them did not
/// answer or refused, after the differences of the others were written.
pub(super) async fn execute(servers: &[DaemonAccess], output: Output) -> Result<(), CliError> {
    let answers = at_all(servers, |access| async move {
        let client = DaemonClient::connect(&access).await?;
        let request = pb::GetFingerprintsRequest {};
        let response = client.grpc.clone().get_fingerprints(request).await;
        Ok(client.message("GetFingerprints", response)?)
    })
    .await;
    let (mut found, mut unreached, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (server, answer) in answers {
        let server = server.to_string();
        match answer {
            Ok(fingerprints) => found.push((server, fingerprints)),
            Err(error) => {
                output.print_diagnostic(Tone::Bad, &format!("{server}: {error}"));
                let list = if error.status() == 3 { &mut unreached } else { &mut refused };
                list.push(server);
            }
        }
    }
    let differences = differences(&found);
    output.answer(
        |context| render(&differences, found.len(), context),
        || render_json(&differences),
    )?;
    if !unreached.is_empty() || !refused.is_empty() {
        let intent = MultiIntent::Read;
        return Err(CliError::Several { of: servers.len(), unreached, refused, intent });
    }
    match differences.len() {
        0 => Ok(()),
        1 => Err(CliError::Failed { message: "there is 1 difference".into() }),
        count => Err(CliError::Failed { message: format!("there are {count} differences") }),
    }
}

/// The values of one thing at each daemon that has it, by what it is.
type Values = BTreeMap<(Aspect, String), BTreeMap<usize, String>>;

/// What is compared, in the order of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Aspect {
    Configuration,
    ConfigObject,
    Override,
    State,
    Weight,
    EffectiveWeight,
    Table,
}

impl Aspect {
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

/// What is not the same at all daemons. `None`: a daemon does not have it.
fn differences(found: &[(String, pb::Fingerprints)]) -> Vec<DifferenceJson> {
    let (mut values, mut dialects) = (Values::new(), Values::new());
    for (index, (_, fingerprints)) in found.iter().enumerate() {
        note(&mut values, &mut dialects, index, fingerprints);
    }
    let mut differences = Vec::new();
    for (of, mut values) in values {
        let all = 0..found.len();
        let mut values: Vec<_> = all.map(|index| values.remove(&index)).collect();
        if values.iter().all(|value| value == &values[0]) {
            continue;
        }
        name_dialects(&mut values, dialects.get(&of));
        let (aspect, what) = of;
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
fn name_dialects(tables: &mut [Option<String>], dialects: Option<&BTreeMap<usize, String>>) {
    let Some(dialects) = dialects else { return };
    let first = dialects.values().next();
    if dialects.values().all(|dialect| Some(dialect) == first) {
        return;
    }
    for (index, dialect) in dialects {
        if let Some(Some(table)) = tables.get_mut(*index) {
            table.push_str(&format!(" ({dialect})"));
        }
    }
}

/// Notes the values of a daemon, and beside those of tables the dialect of its VPP, if it is
/// known.
fn note(values: &mut Values, dialects: &mut Values, index: usize, fingerprints: &pb::Fingerprints) {
    let pb::Fingerprints { config, objects, backends, frontends, .. } = fingerprints;
    let mut add = |aspect, what: String, value: String| {
        values.entry((aspect, what)).or_default().insert(index, value);
    };
    add(Aspect::Configuration, "configuration".into(), config.clone());
    for object in objects {
        let what = format!("{} {} in the file", object.kind, object.name);
        add(Aspect::ConfigObject, what, object.fingerprint.clone());
    }
    for backend in backends {
        let name = &backend.name;
        add(Aspect::State, format!("backend {name}"), backend.state.clone());
        let value = match backend.admin_overridden {
            true => format!("{} by an operator", backend.admin),
            false => format!("{}, as in the file", backend.admin),
        };
        add(Aspect::Override, format!("backend {name}"), value);
    }
    for frontend in frontends {
        let name = &frontend.name;
        add(Aspect::State, format!("frontend {name}"), frontend.state.clone());
        let table = match frontend.table.as_str() {
            "" => "unknown: VPP was not read, or does not have it".into(),
            table => table.to_owned(),
        };
        let what = format!("table of {name}");
        if !frontend.dialect.is_empty() {
            let of = (Aspect::Table, what.clone());
            dialects.entry(of).or_default().insert(index, frontend.dialect.clone());
        }
        add(Aspect::Table, what, table);
        for weight in &frontend.weights {
            let of = format!("{} in {name}/{}", weight.backend_name, weight.pool_name);
            let value = match weight.overridden {
                true => format!("{} by an operator", weight.weight),
                false => format!("{}, as in the file", weight.weight),
            };
            add(Aspect::Weight, format!("weight of {of}"), value);
            let effective = match weight.effective_weight {
                ..0 => "as VPP has it".into(),
                weight => weight.to_string(),
            };
            add(Aspect::EffectiveWeight, format!("effective weight of {of}"), effective);
        }
    }
}

/// One line a difference: `backend web1: up on a:9090, c:9090; down on b:9090`.
fn render(differences: &[DifferenceJson], of: usize, context: &RenderContext) -> String {
    if differences.is_empty() {
        let text = match of {
            0 | 1 => "there is nothing to compare".to_owned(),
            of => format!(
                "{of} daemons have the same configuration, states, overrides, weights and tables"
            ),
        };
        return context.paint(Tone::Good, &text) + "\n";
    }
    let mut out = String::new();
    for difference in differences {
        let mut groups: Vec<(&Option<String>, Vec<&str>)> = Vec::new();
        for DifferenceValueJson { server, value } in &difference.values {
            match groups.iter_mut().find(|(known, _)| *known == value) {
                Some((_, servers)) => servers.push(server),
                None => groups.push((value, vec![server])),
            }
        }
        let groups = groups.iter().map(|(value, servers)| {
            let value = value.as_deref().unwrap_or("missing");
            format!("{value} on {}", servers.join(", "))
        });
        let groups: Vec<_> = groups.collect();
        let what = context.paint(Tone::Title, &format!("{}:", difference.what));
        out.push_str(&format!("{what} {}\n", groups.join("; ")));
    }
    out
}

fn render_json(differences: &[DifferenceJson]) -> serde_json::Result<Value> {
    differences.iter().map(serde_json::to_value).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLAIN: RenderContext = RenderContext { now_ns: 0, width: None, colour: false };

    fn weight(weight: i32, overridden: bool, effective_weight: i32) -> pb::ComparedWeight {
        let (pool_name, backend_name) = ("main".into(), "web1".into());
        pb::ComparedWeight { pool_name, backend_name, weight, overridden, effective_weight }
    }

    fn usual() -> pb::Fingerprints {
        let object = |kind: &str, name: &str, fingerprint: &str| pb::ConfigObject {
            kind: kind.into(),
            name: name.into(),
            fingerprint: fingerprint.into(),
        };
        let backend = pb::ComparedBackend {
            name: "web1".into(),
            state: "up".into(),
            admin: "enabled".into(),
            admin_overridden: false,
        };
        let frontend = pb::ComparedFrontend {
            name: "www".into(),
            state: "up".into(),
            table: "0000000000000007".into(),
            dialect: "weights".into(),
            weights: vec![weight(100, false, 100)],
        };
        pb::Fingerprints {
            config: "0000000000000001".into(),
            objects: vec![object("backend", "web1", "02"), object("frontend", "www", "03")],
            backends: vec![backend],
            frontends: vec![frontend],
            now_unix_ns: 5,
        }
    }

    /// The lines of `a` and `b` that are usual and `c` that was changed.
    fn lines(change: impl FnOnce(&mut pb::Fingerprints)) -> Vec<String> {
        let mut changed = usual();
        change(&mut changed);
        let found = ["a", "b", "c"].map(str::to_owned);
        let found: Vec<_> = found.into_iter().zip([usual(), usual(), changed]).collect();
        let text = render(&differences(&found), 3, &PLAIN);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_kind_of_difference_is_a_line() {
        let same = "3 daemons have the same configuration, states, overrides, weights and tables";
        assert_eq!(lines(|_| {}), [same]);
        assert_eq!(lines(|it| it.now_unix_ns = 99), [same], "a clock is no difference");
        let dialect = lines(|it| it.frontends[0].dialect = "membership".into());
        assert_eq!(dialect, [same], "a VPP that makes the same table does the same");
        type Change = fn(&mut pb::Fingerprints);
        let cases: [(Change, &str); 9] = [
            (|it| it.config = "9".into(), "configuration: 0000000000000001 on a, b; 9 on c"),
            (
                |it| it.objects[1].fingerprint = "9".into(),
                "frontend www in the file: 03 on a, b; 9 on c",
            ),
            (|it| drop(it.objects.pop()), "frontend www in the file: 03 on a, b; missing on c"),
            (|it| it.backends[0].state = "down".into(), "backend web1: up on a, b; down on c"),
            (
                |it| {
                    it.backends[0].admin = "paused".into();
                    it.backends[0].admin_overridden = true;
                },
                "backend web1: enabled, as in the file on a, b; paused by an operator on c",
            ),
            (
                |it| it.frontends[0].weights[0] = weight(50, true, 100),
                "weight of web1 in www/main: 100, as in the file on a, b; 50 by an operator on c",
            ),
            (
                |it| it.frontends[0].weights[0] = weight(100, false, -1),
                "effective weight of web1 in www/main: 100 on a, b; as VPP has it on c",
            ),
            (
                |it| {
                    it.frontends[0].table = "9".into();
                    it.frontends[0].dialect = "membership".into();
                },
                "table of www: 0000000000000007 (weights) on a, b; 9 (membership) on c",
            ),
            (
                |it| it.frontends[0].table = String::new(),
                "table of www: 0000000000000007 on a, b; unknown: VPP was not read, or does not have it on c",
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(lines(change), [expected]);
        }
    }

    #[test]
    fn values_of_each_daemon_are_in_the_json() {
        let mut other = usual();
        other.frontends[0].state = "down".into();
        let found = [("a".to_owned(), usual()), ("b".to_owned(), other)];
        let expected = json!([{
            "aspect": "state",
            "what": "frontend www",
            "values": [
                { "server": "a", "value": "up" },
                { "server": "b", "value": "down" },
            ],
        }]);
        assert_eq!(render_json(&differences(&found)).unwrap(), expected);
    }
}
