//! `GetIdentity`, and maglevc with a token.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rustix::process::{getegid, geteuid};
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{CallerIdentity, GetIdentityRequest};

use super::clients::{RightsDaemon, Token};
use crate::support::TestBed;

async fn identity(channel: tonic::transport::Channel) -> CallerIdentity {
    let answer = MaglevClient::new(channel).get_identity(GetIdentityRequest {}).await;
    answer.unwrap().into_inner()
}

#[tokio::test]
async fn everybody_is_told_whom_the_daemon_takes_them_for() {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let rights = format!("  self: {{ role: operator, users: [{user}] }}\n");
    let listeners = "127.0.0.1:0,role=none,unix:DIR/maglevd.sock,role=viewer";
    let system = RightsDaemon::start(listeners, &rights, &[]).await;
    let stranger = identity(system.tcp(0).await).await;
    assert_eq!((&*stranger.role, &*stranger.reason, &*stranger.name), ("none", "listener", ""));
    assert_eq!(stranger.version, "", "strangers are not told");
    assert_eq!((&*stranger.listener, &*stranger.listener_role), (&*system.addresses()[0], "none"));
    assert!(stranger.rights_file && stranger.proved.is_empty(), "{stranger:?}");
    assert!(stranger.explanation.starts_with("nothing in a rights file names the caller"));

    let own = identity(system.unix().await).await;
    assert_eq!((&*own.role, &*own.reason, &*own.name), ("operator", "user", "self"));
    assert_eq!(own.who, format!("self uid {user} pid {}", std::process::id()));
    assert_eq!(own.explanation, format!("rights.self of the rights file, by user {user}"));
    assert_eq!((&*own.listener_role, &*own.version), ("viewer", vpp_maglev::VERSION));
    let proved = [format!("user {user}"), format!("group {group}")];
    assert!(own.proved.starts_with(&proved), "{own:?}");
    system.daemon.terminate().await;
}

/// Runs maglevc; its exit status, and all that it says.
async fn maglevc(mut command: Command) -> (i32, String) {
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn maglevc_shows_a_token_from_a_file() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let token = Token::new(bed.dir()).await;
    let file = bed.dir().join("token");
    let set = |text: &str, mode| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set(&format!("{}\n", token.token), 0o600);
    let rights = format!("  on-call: {{ role: operator, tokens: [\"{}\"] }}\n", token.digest);
    let system = RightsDaemon::start_on(bed, "127.0.0.1:0,role=viewer", &rights, &[]).await;
    let address = system.addresses()[0].clone();
    let command_to = |address: &str, words: &[&str], with_token: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maglevc"));
        command.env_remove("MAGLEV_TOKEN_FILE").args(["--server", address]);
        if with_token {
            command.env("MAGLEV_TOKEN_FILE", &file);
        }
        command.args(words);
        command
    };
    let command = |words: &[&str], with_token| command_to(&address, words, with_token);
    let pause = ["set", "backend", "a", "pause", "--no-wait"];
    let (status, said) = maglevc(command(&pause, false)).await;
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("PauseBackend takes the role operator"), "{said}");
    let (status, said) = maglevc(command(&pause, true)).await;
    assert_eq!(status, 0, "{said}");
    let (_, said) = maglevc(command(&["show", "identity"], true)).await;
    assert!(said.contains("role      operator\n"), "{said}");
    assert!(said.contains("because   rights.on-call of the rights file, by token\n"), "{said}");
    let (_, said) = maglevc(command(&["show", "overrides", "--output", "json"], false)).await;
    assert!(said.contains("\"who\": \"on-call 127.0.0.1:"), "{said}");

    set(&token.token, 0o644);
    let (status, said) = maglevc(command(&["show", "backends"], true)).await;
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("--token-file: ") && said.contains("(mode 0644)"), "{said}");
    set(&token.token, 0o600);
    let far = command_to("192.0.2.1:9090", &["show", "backends"], true);
    let (status, said) = maglevc(far).await;
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("a token is not sent to 192.0.2.1:9090 without TLS"), "{said}");
    system.daemon.terminate().await;
}
