//! The global settings of a VPP that has no message to read them: `show lb`.

use crate::domain::dataplane::observed::PartialConf;

/// Reads `show lb`, as far as it is understood.
#[must_use]
pub fn parse_settings(text: &str) -> PartialConf {
    let value = |name: &str| {
        let mut lines = text.lines().map(str::trim);
        lines.find_map(|line| line.strip_prefix(name)).map(str::trim)
    };
    let ip4_src = value("lb_main ip4-src-address:").and_then(|text| text.parse().ok());
    let ip6_src = value("ip6-src-address:").and_then(|text| text.parse().ok());
    // A thread's table has three entries more than buckets.
    let usages = text.lines().filter_map(|line| line.trim().strip_prefix("usage: "));
    let entries = usages.filter_map(|usage| usage.rsplit_once(" / ")?.1.trim().parse::<u32>().ok());
    PartialConf {
        sources: ip4_src.zip(ip6_src),
        sticky_buckets: entries.filter_map(|entries| entries.checked_sub(3)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_and_the_rest_is_not_guessed() {
        let start = "lb_main ip4-src-address: 192.0.2.254 \n ip6-src-address: 2001:db8::fe \n";
        let sources = Some(([192, 0, 2, 254].into(), "2001:db8::fe".parse().unwrap()));
        let idle = format!("{start} #vips: 2\n #ass: 5\n");
        let sticky_buckets = [].into();
        assert_eq!(parse_settings(&idle), PartialConf { sources, sticky_buckets });
        let busy = format!(
            "{idle}core 0\n  timeout: 60s\n  usage: 200 / 4099\ncore 2\n  timeout: 40s\n  usage: 1 / 1027\n"
        );
        let sticky_buckets = [1024, 4096].into();
        assert_eq!(parse_settings(&busy), PartialConf { sources, sticky_buckets });
        for text in ["", "show: unknown input `lb'\n", "lb_main ip4-src-address: 192.0.2.254 \n"] {
            assert_eq!(parse_settings(text), PartialConf::default(), "{text}");
        }
    }
}
