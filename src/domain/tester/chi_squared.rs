//! Pearson's chi-squared test: how likely chance alone makes counts differ from
//! what was expected by as much as they do (Numerical Recipes, section 6.2, has the
//! two expansions of the incomplete gamma function).

/// Terms of an expansion; both converge in far fewer for what is asked here.
const MAX_TERMS: u32 = 10_000;

/// The statistic of counts and what was expected of each, which must be above 0.
#[must_use]
pub fn statistic(cells: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    cells.into_iter().map(|(count, expected)| (count - expected).powi(2) / expected).sum()
}

/// The probability of a statistic of at least `statistic` with so many degrees of
/// freedom, if the expectation is right; 1 without any.
#[must_use]
pub fn p_value(statistic: f64, degrees: u32) -> f64 {
    if degrees == 0 || statistic <= 0.0 {
        return 1.0;
    }
    let (a, x) = (f64::from(degrees) / 2.0, statistic / 2.0);
    // Both times the power before the expansion.
    let scale = (a * x.ln() - x - ln_gamma(a)).exp();
    let p = if x < a + 1.0 { 1.0 - scale * series(a, x) } else { scale * fraction(a, x) };
    p.clamp(0.0, 1.0)
}

/// Sum of x^n / (a (a+1) … (a+n)).
fn series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    for n in 1..MAX_TERMS {
        term *= x / (a + f64::from(n));
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    sum
}

/// The continued fraction of the upper function, by Lentz's method.
fn fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut value = d;
    for n in 1..MAX_TERMS {
        let n = f64::from(n);
        let an = -n * (n - a);
        b += 2.0;
        let away = |number: f64| if number.abs() < TINY { TINY } else { number };
        d = 1.0 / away(an * d + b);
        c = away(b + an / c);
        let factor = d * c;
        value *= factor;
        if (factor - 1.0).abs() < 1e-14 {
            break;
        }
    }
    value
}

/// The logarithm of the gamma function, for arguments from 1/2 on: Stirling's series,
/// with the argument moved to where it is exact to ten digits.
fn ln_gamma(mut x: f64) -> f64 {
    let mut product = 1.0;
    while x < 10.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let correction =
        (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / x;
    let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
    (x - 0.5) * x.ln() - x + half_ln_tau + correction - product.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_the_tables() {
        // Critical values of the chi-squared distribution.
        for (statistic, degrees, p) in [
            (3.841, 1, 0.05),
            (6.635, 1, 0.01),
            (10.828, 1, 0.001),
            (5.991, 2, 0.05),
            (13.816, 2, 0.001),
            (18.307, 10, 0.05),
            (29.588, 10, 0.001),
            (124.342, 100, 0.05),
            (149.449, 100, 0.001),
            (4.605, 2, 0.1),
            (0.0158, 1, 0.9),
            (82.358, 100, 0.9),
        ] {
            let found = p_value(statistic, degrees);
            assert!((found - p).abs() < p * 0.01, "{statistic} {degrees}: {found}, not {p}");
        }
        assert_eq!((p_value(5.0, 0), p_value(0.0, 3)), (1.0, 1.0));
        assert!(p_value(1e6, 3) < 1e-100);
    }

    #[test]
    fn the_statistic_sums_squares_over_expectations() {
        let found = statistic([(44.0, 50.0), (56.0, 50.0)]);
        assert!((found - 1.44).abs() < 1e-12, "{found}");
    }
}
