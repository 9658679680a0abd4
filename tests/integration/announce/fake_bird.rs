//! A control socket that answers as the test says. Greetings and replies are those
//! of BIRD 2.0.12.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// As many bytes of commands may wait; BIRD ends a connection with more.
const PENDING: usize = 1024;

pub(super) struct FakeBird {
    state: Arc<Mutex<State>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// What `configure` and `configure status` answer next, in order.
    replies: VecDeque<String>,
    /// All commands.
    commands: Vec<String>,
    /// What `show route protocol NAME all` answers, by the file that lists it.
    files: Vec<(String, PathBuf)>,
    /// What was read when a `configure` was accepted last, by protocol.
    applied: Vec<(String, Vec<String>)>,
}

impl FakeBird {
    /// One that has the protocols, each of which includes a file.
    pub(super) fn start(directory: &Path, protocols: &[(&str, &str)]) -> Self {
        let socket = directory.join("bird.ctl");
        let listener = UnixListener::bind(socket).unwrap();
        let files = protocols.iter().map(|(name, file)| ((*name).into(), directory.join(file)));
        let state = State { files: files.collect(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { state, task }
    }

    /// The next answers to `configure` and `configure status`, each a whole reply.
    /// Without any it is 0003.
    pub(super) fn answer(&self, replies: &[&str]) {
        self.state.lock().unwrap().replies.extend(replies.iter().map(|it| (*it).to_owned()));
    }

    /// The commands since the last call, but for those that only show something.
    pub(super) fn commands(&self) -> Vec<String> {
        let mut commands = std::mem::take(&mut self.state.lock().unwrap().commands);
        commands.retain(|command| !command.starts_with("show"));
        commands
    }
}

impl Drop for FakeBird {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: UnixStream, state: Arc<Mutex<State>>) {
    if stream.write_all(b"0001 BIRD 2.0.12 ready.\n").await.is_err() {
        return;
    }
    let mut pending = Vec::new();
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        pending.extend(&bytes[..count]);
        assert!(pending.len() <= PENDING, "more than BIRD would take");
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            assert!(pending.is_empty(), "a command before the reply to the one before");
            let command = String::from_utf8(line).unwrap().trim().to_owned();
            let reply = reply(&mut state.lock().unwrap(), &command);
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

fn reply(state: &mut State, command: &str) -> String {
    state.commands.push(command.to_owned());
    if command.starts_with("configure") {
        let reply = state.replies.pop_front().unwrap_or_else(|| RECONFIGURED.into());
        if !reply.contains("8002") && !reply.contains("8007") {
            let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
            let lines = |text: &str| text.lines().map(str::to_owned).collect();
            let files = state.files.iter();
            state.applied = files.map(|(name, file)| (name.clone(), lines(&read(file)))).collect();
        }
        return reply;
    }
    if command == "show protocols" {
        return PROTOCOLS.into();
    }
    let words: Vec<_> = command.split(' ').collect();
    let [_, "route", "protocol", name, ..] = words[..] else {
        return "9001 syntax error, unexpected CF_SYM_UNDEFINED\n".into();
    };
    if !state.files.iter().any(|(known, _)| known == name) {
        return "9001 syntax error, unexpected CF_SYM_UNDEFINED, expecting CF_SYM_KNOWN\n".into();
    }
    let mut text = "1007-Table master:\n".to_owned();
    let applied = state.applied.iter().find(|(known, _)| known == name);
    for line in applied.iter().flat_map(|(_, lines)| lines) {
        let Some(rest) = line.strip_prefix("route ") else { continue };
        let prefix = rest.split(' ').next().unwrap();
        // The first line of a table continues the number of its header.
        let start = if text.ends_with("master:\n") { " " } else { "1007-" };
        text += &format!("{start}{prefix}         blackhole [{name} 09:12:19.061] * (200)\n");
        text += "1008-\tType: static univ\n+0000 asynchronous\n";
        if let Some((_, pair)) = line.split_once("add((") {
            let pair = pair.split(')').next().unwrap();
            text += &format!("1012-\tBGP.community: ({pair})\n");
        }
    }
    text + "0000 \n"
}

pub(super) const RECONFIGURED: &str =
    "0002-Reading configuration from /etc/bird/bird.conf\n0003 Reconfigured\n";

const PROTOCOLS: &str = "\
2002-Name       Proto      Table      State  Since         Info
1002-maglev4    Static     master4    up     09:12:19.061
 r4         BGP        ---        up     09:12:19.061  Established
 r6         BGP        ---        start  09:12:19.061  Idle
0000 \n";
