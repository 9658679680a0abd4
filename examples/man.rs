//! Writes the manual pages from what the programs themselves go by: their flags
//! and maglevc's grammar. `cargo run --example man -- DIR`; `make man` does it.

#![allow(clippy::unwrap_used)]

#[path = "../src/bin/maglevd/flags.rs"]
#[allow(dead_code, unreachable_pub)]
mod flags;

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use vpp_maglev::cli::command::help;
use vpp_maglev::cli::command::options::CliOptions;
use vpp_maglev::tester::options::TesterOptions;
use vpp_maglev::web::WebOptions;

fn main() {
    let dir = std::env::args().nth(1).unwrap_or_else(|| {
        eprintln!("say where to: cargo run --example man -- DIR");
        std::process::exit(2);
    });
    let dir = Path::new(&dir);
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("maglevd.8"), maglevd()).unwrap();
    std::fs::write(dir.join("maglevc.1"), maglevc()).unwrap();
    std::fs::write(dir.join("maglevt.1"), maglevt()).unwrap();
    std::fs::write(dir.join("maglev-web.8"), maglev_web()).unwrap();
}

/// A page of this section, up to its options.
fn page(command: Command, section: &str) -> Vec<u8> {
    let (name, version) = (command.get_name().to_owned(), env!("CARGO_PKG_VERSION"));
    // The commit would make a page differ that says the same.
    let command = command.version(version);
    let man = Man::new(command).section(section).source(format!("{name} {version}"));
    let man = man.manual("vpp-maglev").date("");
    let mut text = Vec::new();
    man.render_title(&mut text).unwrap();
    man.render_name_section(&mut text).unwrap();
    man.render_synopsis_section(&mut text).unwrap();
    man.render_description_section(&mut text).unwrap();
    man.render_options_section(&mut text).unwrap();
    text
}

/// A section of terms and what they are.
fn section(title: &str, before: &str, terms: &[(&str, &str)], text: &mut Vec<u8>) {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    if !before.is_empty() {
        roff.text([roman(before)]);
    }
    for (term, meaning) in terms {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
    roff.to_writer(text).unwrap();
}

fn maglevd() -> Vec<u8> {
    let mut text = page(flags::Flags::command(), "8");
    section(
        "SIGNALS",
        "",
        &[
            ("SIGHUP", "reads the configuration anew: a file with a fault changes nothing"),
            (
                "SIGTERM, SIGINT",
                "leave VPP as it is, tell it goodbye, and end; with --on-stop=withdraw, withdraw \
                 all VIPs before",
            ),
            ("SIGUSR1", "logs everything, debug records too"),
            ("SIGUSR2", "logs as --log-level says again"),
        ],
        &mut text,
    );
    section(
        "EXIT STATUS",
        "",
        &[
            ("0", "it was told to stop; with --check: the file is valid"),
            ("1", "it could not start; with --check: the file cannot be read or parsed"),
            ("2", "a flag is wrong; with --check: the file breaks rules"),
            ("3", "with --on-stop=withdraw: it stopped, and something may still be announced"),
        ],
        &mut text,
    );
    section(
        "FILES",
        "",
        &[
            (flags::DEFAULT_CONFIG, "the configuration"),
            ("/etc/default/vpp-maglev", "the environment of vpp-maglevd.service"),
        ],
        &mut text,
    );
    section("SEE ALSO", "maglevc(1), and the guides in /usr/share/doc/vpp-maglevd", &[], &mut text);
    text
}

fn maglevc() -> Vec<u8> {
    let mut text = page(CliOptions::command(), "1");
    let usages = help::usages();
    let commands: Vec<_> = usages.iter().map(|usage| (usage.line.as_str(), usage.help)).collect();
    let before = "Without a command it is a shell. Any unambiguous beginning of a word works.";
    section("COMMANDS", before, &commands, &mut text);
    section(
        "EXIT STATUS",
        "",
        &[
            ("0", "done"),
            ("1", "the daemon refused"),
            ("2", "a mistake in the command or the options"),
            ("3", "the daemon cannot be reached"),
        ],
        &mut text,
    );
    section("SEE ALSO", "maglevd(8), maglevt(1)", &[], &mut text);
    text
}

fn maglevt() -> Vec<u8> {
    let mut text = page(TesterOptions::command(), "1");
    section(
        "EXAMPLES",
        "",
        &[
            ("maglevt 192.0.2.80:80", "tests one VIP until Ctrl-C"),
            (
                "maglevt --server 127.0.0.1:9090 --check-shares --for 1m",
                "tests every VIP of a daemon, with the shares that it expects",
            ),
            (
                "maglevt tcp://192.0.2.80:7 --hold 100 --for 30s --max-broken 0 --max-gap 500ms",
                "fails if one of a hundred connections breaks, or nothing succeeds for half a second",
            ),
        ],
        &mut text,
    );
    section(
        "EXIT STATUS",
        "",
        &[
            ("0", "it ended within its limits"),
            ("1", "a limit was exceeded, a VIP never answered, or its path swallows full packets"),
            ("2", "a flag or the configuration is wrong"),
            ("3", "the daemon, or every VIP, could not be reached at the start"),
        ],
        &mut text,
    );
    let see = "maglevc(1), maglevd(8), and /usr/share/doc/vpp-maglevd/maglevt.md";
    section("SEE ALSO", see, &[], &mut text);
    text
}

fn maglev_web() -> Vec<u8> {
    let mut text = page(WebOptions::command(), "8");
    section(
        "COMMANDS",
        "",
        &[(
            "passwd [--users FILE] [--role ROLE] [--no-password] NAME",
            "adds a user to the file of --users, or sets a password anew. The password is read \
             from the terminal, or is the first line of standard input. The role is viewer or \
             operator; a user that is known keeps theirs, and a new one is a viewer",
        )],
        &mut text,
    );
    section(
        "SIGNALS",
        "",
        &[
            (
                "SIGHUP",
                "reads the users and the certificates anew: a file with a fault changes nothing",
            ),
            ("SIGTERM, SIGINT", "end it"),
        ],
        &mut text,
    );
    section(
        "EXIT STATUS",
        "",
        &[
            ("0", "it was told to stop; passwd: the file has the user"),
            ("1", "it could not start; passwd: the file is as it was"),
            ("2", "a flag is wrong"),
        ],
        &mut text,
    );
    section(
        "FILES",
        "",
        &[
            ("/etc/vpp-maglev/web-users", "who may log in, a line each: name:role:hash"),
            ("/etc/default/vpp-maglev-web", "the environment of vpp-maglev-web.service"),
        ],
        &mut text,
    );
    text
}
