//! Whether the servers answered as often as they should.

use std::collections::BTreeMap;

use super::chi_squared::{p_value, statistic};
use super::server_name::{KnownServer, named};

/// Below this probability chance is no explanation.
const WRONG: f64 = 0.001;

/// Below this probability chance is a poor one.
const DOUBTFUL: f64 = 0.01;

/// The test holds where at least so many answers are expected of each server.
const FEWEST: f64 = 5.0;

/// What part of new flows each server should get.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedShares {
    servers: Vec<KnownServer>,
    /// 0 to 1, of each server; they sum up to 1, or are all 0.
    shares: Vec<f64>,
}

impl ExpectedShares {
    /// In proportion to these weights, each 0 or more.
    #[must_use]
    pub fn of_weights(weights: impl IntoIterator<Item = (KnownServer, f64)>) -> Self {
        let (servers, weights): (Vec<_>, Vec<f64>) = weights.into_iter().unzip();
        let sum: f64 = weights.iter().sum();
        let shares = weights.iter().map(|weight| if sum > 0.0 { weight / sum } else { 0.0 });
        Self { servers, shares: shares.collect() }
    }

    /// Names and shares, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.servers.iter().zip(&self.shares).map(|(server, share)| (&*server.name, *share))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareVerdict {
    AsExpected,
    Doubtful,
    Wrong,
    TooFewAnswers,
    CannotBeCompared,
    NotKnown,
}

impl ShareVerdict {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AsExpected => "as expected",
            Self::Doubtful => "doubtful",
            Self::Wrong => "wrong",
            Self::TooFewAnswers => "too few answers",
            Self::CannotBeCompared => "cannot be compared",
            Self::NotKnown => "not known",
        }
    }
}

/// The verdict with what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareFinding {
    pub verdict: ShareVerdict,
    /// A sentence, without its stop.
    pub says: String,
    /// The probability that chance explains the difference; `None`: not computed.
    pub p: Option<f64>,
    /// How many were compared.
    pub answers: u64,
}

/// One line of the comparison.
struct ShareRow<'a> {
    name: &'a str,
    share: f64,
    count: u64,
}

/// Compares a tally of answers, by what they called their server.
#[must_use]
pub fn judge(expected: Option<&ExpectedShares>, tally: &BTreeMap<String, u64>) -> ShareFinding {
    let answers: u64 = tally.values().sum();
    let found = |verdict, says: String, p| ShareFinding { verdict, says, p, answers };
    let Some(expected) = expected.filter(|expected| !expected.servers.is_empty()) else {
        return found(ShareVerdict::NotKnown, "nothing says which shares to expect".into(), None);
    };
    let (rows, strangers) = rows(expected, tally);
    if answers > 0 && rows.iter().all(|row| row.count == 0) {
        let example = tally.keys().next().map_or("", String::as_str);
        let says = format!(
            "no answer names a backend (one is {example:?}): give --header, or have servers name \
             themselves"
        );
        return found(ShareVerdict::CannotBeCompared, says, None);
    }
    let uninvited = rows.iter().filter(|row| row.share == 0.0 && row.count > 0);
    let uninvited = uninvited.map(|row| (row.name, row.count)).chain(strangers);
    let uninvited: Vec<_> =
        uninvited.map(|(name, count)| format!("{name} answered {count} times")).collect();
    if !uninvited.is_empty() {
        let says = format!("{}, and should get no new flows", uninvited.join(", "));
        return found(ShareVerdict::Wrong, says, None);
    }
    let serving: Vec<_> = rows.into_iter().filter(|row| row.share > 0.0).collect();
    let smallest = serving.iter().map(|row| row.share).fold(1.0, f64::min);
    let needed = (FEWEST / smallest).ceil();
    let total = count_of(answers);
    if serving.is_empty() || total < needed {
        let says = format!("{answers} answers are too few to judge; it takes {needed}");
        return found(ShareVerdict::TooFewAnswers, says, None);
    }
    let cells = serving.iter().map(|row| (count_of(row.count), row.share * total));
    let degrees = u32::try_from(serving.len() - 1).unwrap_or(u32::MAX);
    let p = p_value(statistic(cells), degrees);
    let (verdict, says) = match p {
        p if p < WRONG => (ShareVerdict::Wrong, worst(&serving, total)),
        p if p < DOUBTFUL => (ShareVerdict::Doubtful, worst(&serving, total)),
        _ => {
            let servers = serving.len();
            let servers = format!("{servers} server{}", if servers == 1 { "" } else { "s" });
            (ShareVerdict::AsExpected, format!("{answers} answers of {servers} are as expected"))
        }
    };
    found(verdict, says, Some(p))
}

/// The expected servers with their answers, and who else answered.
fn rows<'a>(
    expected: &'a ExpectedShares,
    tally: &'a BTreeMap<String, u64>,
) -> (Vec<ShareRow<'a>>, Vec<(&'a str, u64)>) {
    let row = |(name, share)| ShareRow { name, share, count: 0 };
    let mut rows: Vec<_> = expected.iter().map(row).collect();
    let mut strangers = Vec::new();
    for (answer, count) in tally {
        match named(answer, &expected.servers) {
            Some(place) => rows[place].count += count,
            None => strangers.push((answer.as_str(), *count)),
        }
    }
    (rows, strangers)
}

/// The server that differs most, in words.
fn worst(rows: &[ShareRow<'_>], total: f64) -> String {
    let off = |row: &&ShareRow<'_>| {
        let expected = row.share * total;
        (count_of(row.count) - expected).abs() / expected.sqrt()
    };
    let worst = rows.iter().max_by(|a, b| off(a).total_cmp(&off(b)));
    worst.map_or_else(String::new, |row| {
        let share = count_of(row.count) / total * 100.0;
        let expected = row.share * 100.0;
        format!("{} got {share:.1} % of {total} new flows, expected {expected:.1} %", row.name)
    })
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53 answers")]
fn count_of(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(weights: &[(&str, f64)]) -> ExpectedShares {
        ExpectedShares::of_weights(
            weights.iter().map(|(name, weight)| {
                (KnownServer { name: (*name).into(), address: None }, *weight)
            }),
        )
    }

    #[test]
    fn each_verdict_has_its_reason() {
        let weights = [("a", 100.0), ("b", 100.0), ("c", 50.0), ("off", 0.0)];
        type Tally<'a> = &'a [(&'a str, u64)];
        let cases: &[(Tally<'_>, ShareVerdict, &str)] = &[
            (&[("a", 41), ("b", 39), ("c", 20)], ShareVerdict::AsExpected, "100 answers of 3"),
            (&[("from a", 400), ("b", 400), ("c", 200)], ShareVerdict::AsExpected, "1000 answers"),
            (
                &[("a", 350), ("b", 350), ("c", 300)],
                ShareVerdict::Wrong,
                "c got 30.0 % of 1000 new flows, expected 20.0 %",
            ),
            (&[("a", 436), ("b", 364), ("c", 200)], ShareVerdict::AsExpected, ""),
            (&[("a", 445), ("b", 355), ("c", 200)], ShareVerdict::Doubtful, "b got 35.5 %"),
            (&[("a", 60), ("b", 40)], ShareVerdict::Wrong, "c got 0.0 %"),
            (&[("a", 5), ("b", 5), ("c", 2)], ShareVerdict::TooFewAnswers, "it takes 25"),
            (&[], ShareVerdict::TooFewAnswers, "0 answers"),
            (
                &[("a", 1), ("off", 2)],
                ShareVerdict::Wrong,
                "off answered 2 times, and should get no new flows",
            ),
            (&[("a", 1), ("x", 3)], ShareVerdict::Wrong, "x answered 3 times"),
            (&[("<html>", 9)], ShareVerdict::CannotBeCompared, "give --header"),
        ];
        for (tally, verdict, part) in cases {
            let tally = tally.iter().map(|(name, count)| ((*name).into(), *count)).collect();
            let finding = judge(Some(&expected(&weights)), &tally);
            assert_eq!(finding.verdict, *verdict, "{finding:?}");
            assert!(finding.says.contains(part), "{finding:?}");
        }
        assert_eq!(judge(None, &BTreeMap::new()).verdict, ShareVerdict::NotKnown);
    }

    #[test]
    fn one_server_alone_is_as_expected_and_none_is_not_judged() {
        let tally = BTreeMap::from([("a".to_owned(), 10)]);
        let one = judge(Some(&expected(&[("a", 7.0)])), &tally);
        assert_eq!((one.verdict, one.p), (ShareVerdict::AsExpected, Some(1.0)));
        let none = judge(Some(&expected(&[("a", 0.0)])), &BTreeMap::new());
        assert_eq!(none.verdict, ShareVerdict::TooFewAnswers);
    }
}
