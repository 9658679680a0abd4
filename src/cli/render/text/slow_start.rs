//! How far a slow start is, in a line.

use crate::cli::render::time::elapsed;
use crate::pb::SlowStartInfo;

/// `slow start at 12 %: weight 12 of 100, the whole in 42s`
pub(crate) fn line(ramp: &SlowStartInfo) -> String {
    let SlowStartInfo { weight, target, left_ns, .. } = ramp;
    let percent = weight * 100 / (*target).max(1);
    let left = elapsed(*left_ns);
    format!("slow start at {percent} %: weight {weight} of {target}, the whole in {left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is_and_how_long_it_takes() {
        let ramp = SlowStartInfo {
            frontend_name: "web".into(),
            weight: 30,
            target: 80,
            left_ns: 42_000_000_000,
        };
        assert_eq!(line(&ramp), "slow start at 37 %: weight 30 of 80, the whole in 42s");
        let none = SlowStartInfo::default();
        assert_eq!(line(&none), "slow start at 0 %: weight 0 of 0, the whole in 0s");
    }
}
