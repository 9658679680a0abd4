//! One run of the program: its input, its bounded output, its end.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::announce::{DriverError, STEP_LIMIT};

/// What an answer may have: about ten thousand routes.
const LONGEST_ANSWER: u64 = 1024 * 1024;
/// What is kept of standard error, for the message.
const LONGEST_COMPLAINT: u64 = 2048;

/// What is run.
#[derive(Clone, Debug)]
pub struct CommandOptions {
    /// The program, an absolute path, and its arguments. No shell is involved.
    pub argv: Vec<String>,
    /// After it the program is killed, with every process of its group.
    pub timeout: Duration,
}

impl CommandOptions {
    #[must_use]
    pub const fn new(argv: Vec<String>) -> Self {
        Self { argv, timeout: STEP_LIMIT }
    }
}

/// Runs the program with `input` to its end. Returns its standard output.
pub(super) async fn run(options: &CommandOptions, input: Vec<u8>) -> Result<Vec<u8>, DriverError> {
    let attempt = attempt(options);
    let mut group = ProcessGroup::spawn(options).map_err(|error| unstarted(&attempt, &error))?;
    let ran = tokio::time::timeout(options.timeout, group.talk(input)).await;
    let Ok(ran) = ran else {
        return Err(DriverError::TimedOut { attempt, limit: options.timeout });
    };
    let Ran { status, output, complaint } =
        ran.map_err(|error| DriverError::failed(&attempt, &error))?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint);
        let reason = match complaint.trim() {
            "" => format!("{status}, and nothing on standard error"),
            text => format!("{status}: {text}"),
        };
        return Err(DriverError::Failed { attempt, reason });
    }
    if output.len() as u64 > LONGEST_ANSWER {
        let reason = format!("the answer is longer than {LONGEST_ANSWER} bytes");
        return Err(DriverError::NotUnderstood { attempt, reason });
    }
    Ok(output)
}

pub(super) fn attempt(options: &CommandOptions) -> String {
    format!("running {}", options.argv.first().map_or("no program", String::as_str))
}

struct Ran {
    status: ExitStatus,
    output: Vec<u8>,
    complaint: Vec<u8>,
}

/// The program and all that it starts, which is killed when this is dropped: when
/// the time is over or nobody waits any more.
struct ProcessGroup {
    child: Child,
    /// Until it was waited for.
    leader: Option<Pid>,
}

impl ProcessGroup {
    fn spawn(options: &CommandOptions) -> io::Result<Self> {
        let none = || io::Error::new(io::ErrorKind::InvalidInput, "no program is configured");
        let (program, arguments) = options.argv.split_first().ok_or_else(none)?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self { child, leader: id.and_then(Pid::from_raw) })
    }

    async fn talk(&mut self, input: Vec<u8>) -> io::Result<Ran> {
        let (stdin, stdout) = (self.child.stdin.take(), self.child.stdout.take());
        let stderr = self.child.stderr.take();
        let give = async {
            if let Some(mut stdin) = stdin {
                // A program need not read what it does not want to know.
                let _ = stdin.write_all(&input).await;
            }
        };
        let (output, complaint, ()) =
            tokio::join!(bounded(stdout, LONGEST_ANSWER), bounded(stderr, LONGEST_COMPLAINT), give);
        let status = self.child.wait().await?;
        // From now on its number may be another's.
        self.leader = None;
        Ok(Ran { status, output: output?, complaint: complaint? })
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Reads to the end, and keeps one byte more than `limit` at most.
async fn bounded(from: Option<impl AsyncRead + Unpin>, limit: u64) -> io::Result<Vec<u8>> {
    let Some(mut from) = from else { return Ok(Vec::new()) };
    let mut kept = Vec::new();
    (&mut from).take(limit + 1).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    Ok(kept)
}

fn unstarted(attempt: &str, error: &io::Error) -> DriverError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => DriverError::NotPermitted {
            attempt: attempt.into(),
            remedy: "it must be executable for maglevd's user".into(),
        },
        _ => DriverError::failed(attempt, error),
    }
}
