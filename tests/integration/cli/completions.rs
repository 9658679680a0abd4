//! The completion scripts in the shells that they are for, where these are
//! installed, and what they ask maglevc.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::fake_daemon::Behaviour;
use crate::support::fake_daemon::background::BackgroundDaemon;
use crate::support::probe::missing;

const MAGLEVC: &str = env!("CARGO_BIN_EXE_maglevc");

fn maglevc(server: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(MAGLEVC);
    command.env("MAGLEV_SERVER", server).args(arguments).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a script in a shell that has maglevc in its path and its completions
/// in a file, the first argument. `None`: the shell is not installed.
fn in_shell(server: &str, shell: &str, arguments: &[&str], script: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let completions = folder.path().join("completions");
    std::fs::write(&completions, maglevc(server, &["completions", shell])).unwrap();
    let bin = Path::new(MAGLEVC).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(shell);
    command.env("PATH", path).env("MAGLEV_SERVER", server).env("HOME", folder.path());
    command.args(arguments).arg(script).stdin(Stdio::null());
    command.env("COMPLETIONS", &completions);
    match command.output() {
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success() && errors.is_empty(), "{shell}: {errors}");
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            missing(&format!("{shell} is not installed"));
            None
        }
        Err(error) => panic!("{shell}: {error}"),
    }
}

/// What bash makes of TAB at the end of a line.
fn in_bash(server: &str, line: &str) -> Option<Vec<String>> {
    // readline splits the line at these characters and hands it over so.
    let script = format!(
        r#"source "$COMPLETIONS"
        COMP_LINE={line:?} COMP_POINT=${{#COMP_LINE}}
        _maglevc
        printf '%s\n' "${{COMPREPLY[@]}}""#
    );
    let found = in_shell(server, "bash", &["--norc", "--noprofile", "-c"], &script)?;
    Some(found.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[test]
fn maglevc_answers_with_words_names_and_options() {
    let daemon = BackgroundDaemon::start(Behaviour::USUAL);
    let found = |line: &str| -> Vec<String> {
        let answer = maglevc(&daemon.address, &["__complete", line]);
        answer.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(found("maglevc con"), ["config"]);
    assert_eq!(found("maglevc show backend n"), ["new", "nginx0", "nginx1"]);
    assert_eq!(found("maglevc --output json set frontend web pool "), ["primary", "fallback"]);
    assert_eq!(found("maglevc show --tls-k"), ["--tls-key"]);
    assert_eq!(found("maglevc --tls-ca "), [":files"]);
    assert_eq!(found("maglevc shwo "), [] as [&str; 0]);
    // The server on the line is asked, not the environment's.
    let line = format!("maglevc --server {} show healthcheck ", daemon.address);
    let answer = maglevc("127.0.0.1:1", &["__complete", &line]);
    assert!(answer.starts_with("cache\tits settings\ndns\t"), "{answer}");
    // Without a daemon there are words all the same, and no error.
    let answer = maglevc("127.0.0.1:1", &["__complete", "maglevc sync vpp lb state "]);
    let force = "force\talso take the removals that are held\n";
    assert_eq!(answer, format!("dry-run\tlist the steps and take none\n{force}"));
}

#[test]
fn bash_completes_with_the_script() {
    let daemon = BackgroundDaemon::start(Behaviour::USUAL);
    let found = |line: &str| in_bash(&daemon.address, line);
    let Some(words) = found("maglevc show ba") else { return };
    assert_eq!(words, ["backends", "backend"]);
    assert_eq!(found("maglevc show backend ").unwrap().len(), 6);
    assert_eq!(found("maglevc --color ").unwrap(), ["auto", "always", "never"]);
    // bash has replaced all up to `=` when it asks.
    assert_eq!(found("maglevc --color=al").unwrap(), ["always"]);
    assert_eq!(found("maglevc nonsense ").unwrap(), [] as [&str; 0]);
    let files = found("maglevc --tls-ca /etc/host").unwrap();
    assert!(files.contains(&"/etc/hosts".to_owned()), "{files:?}");
}

#[test]
fn fish_completes_with_the_script() {
    let daemon = BackgroundDaemon::start(Behaviour::USUAL);
    let script = "source $COMPLETIONS; complete -C 'maglevc set backend nginx'";
    let Some(found) = in_shell(&daemon.address, "fish", &["--no-config", "-c"], script) else {
        return;
    };
    assert_eq!(found, "nginx0\tthe backend to change\nnginx1\tthe backend to change\n");
}

#[test]
fn zsh_takes_the_script() {
    let daemon = BackgroundDaemon::start(Behaviour::USUAL);
    // compadd works only within a completion: what it is given is printed.
    let script = r#"
        compdef() { }
        compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- "$@" }
        source $COMPLETIONS
        words=(maglevc show backend ngi) CURRENT=4 PREFIX=ngi
        _maglevc"#;
    let Some(found) = in_shell(&daemon.address, "zsh", &["-f", "-c"], script) else { return };
    assert_eq!(found, "nginx0\nnginx1\n");
}
