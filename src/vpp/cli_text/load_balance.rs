//! `show load-balance`: the packets that went through a load-balance object.

/// How many packets another node handed to the object with this index; the plugin hands
/// those to a server to the server's object. Without any VPP leaves out `via`.
///
/// `dpo-load-balance: [proto:ip4 index:12 buckets:1 uRPF:13 to:[0:0] via:[250:31000]]`
#[must_use]
pub fn parse_packets(text: &str, index: u32) -> Option<u64> {
    let line = text.lines().next()?;
    let inner = line.strip_prefix("dpo-load-balance: [")?.strip_suffix(']')?;
    let mut words = inner.split(' ');
    let is_this = words.any(|word| word.strip_prefix("index:") == Some(index.to_string().as_str()));
    let is_whole = words.any(|word| word.starts_with("to:["));
    if !is_this || !is_whole {
        return None;
    }
    match words.next() {
        None => Some(0),
        Some(via) => via.strip_prefix("via:[")?.strip_suffix(']')?.split_once(':')?.0.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_to_a_server_is_read_and_nothing_is_guessed() {
        let line = |rest: &str| format!("dpo-load-balance: [proto:ip4 index:12 {rest}]\n  [0] x\n");
        for (text, expected) in [
            (line("buckets:1 uRPF:13 to:[9:700] via:[250:31000]"), Some(250)),
            (line("buckets:2 uRPF:13 flags:[sticky] to:[0:0] via:[7:1]"), Some(7)),
            (line("buckets:1 uRPF:13 to:[9:700]"), Some(0)),
            (line("buckets:1 uRPF:13 to:[9:700] via:[x:1]"), None),
            (line("buckets:1 uRPF:13 to:[9:700] by:[3:1]"), None),
            (line("buckets:1 uRPF:13"), None),
            (line("index:120 to:[9:700]").replace("index:12 ", ""), None),
            ("no such load-balance:12\n".into(), None),
            ("DELETED lb:12".into(), None),
            (String::new(), None),
        ] {
            assert_eq!(parse_packets(&text, 12), expected, "{text}");
        }
    }
}
