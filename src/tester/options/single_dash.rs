//! Options with one dash, as vpp-maglev 1.0 has them (`-interval 50ms`).

use std::ffi::OsString;

use clap::Command;

/// The arguments with two dashes where one stands before the name of an option.
/// After `--` nothing is an option.
#[must_use]
pub fn with_two_dashes(command: &Command, arguments: Vec<OsString>) -> Vec<OsString> {
    let own = ["help", "version"];
    let longs = command.get_arguments().filter_map(clap::Arg::get_long).chain(own);
    let longs: Vec<&str> = longs.collect();
    let mut ended = false;
    let doubled = arguments.into_iter().map(|argument| {
        ended |= argument == "--";
        let text = argument.to_string_lossy();
        match text.strip_prefix('-') {
            Some(rest) if !ended && longs.contains(&rest.split('=').next().unwrap_or(rest)) => {
                let mut two = OsString::from("-");
                two.push(&argument);
                two
            }
            _ => argument,
        }
    });
    doubled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tester::options::TesterOptions;
    use clap::{CommandFactory, Parser};
    use std::time::Duration;

    #[test]
    fn one_dash_is_as_good_as_two() {
        let given = [
            "maglevt",
            "-config",
            "a.yaml,b.yaml",
            "-interval=50ms",
            "-timeout",
            "1s",
            "-host",
            "www.example.org",
            "-uri",
            "/x",
            "-header",
            "X-Served-By",
            "-insecure",
            "-keepalive=false",
            "-filter",
            "^web",
            "192.0.2.1:80",
        ];
        let arguments = given.iter().map(OsString::from).collect();
        let options =
            TesterOptions::try_parse_from(with_two_dashes(&TesterOptions::command(), arguments))
                .unwrap();
        assert_eq!(options.from.config.len(), 2);
        assert_eq!(options.probe.interval, Duration::from_millis(50));
        assert_eq!(options.probe.header.as_deref(), Some("X-Served-By"));
        assert!(options.probe.insecure && !options.probe.keepalive);
        assert_eq!(options.vips, ["192.0.2.1:80"]);
        assert_eq!(options.from.filter.map(|filter| filter.to_string()).as_deref(), Some("^web"));
    }

    #[test]
    fn what_is_no_option_stays() {
        let given = ["maglevt", "-h", "-x", "--", "-config"];
        let arguments: Vec<OsString> = given.iter().map(OsString::from).collect();
        assert_eq!(with_two_dashes(&TesterOptions::command(), arguments.clone()), arguments);
    }
}
