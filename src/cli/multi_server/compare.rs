//! How several daemons differ: a line each for what is not the same at all of them.

use serde_json::Value;

use super::fan_out::at_all;
use crate::api::views::{DifferenceJson, DifferenceValueJson, differences};
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
