//! The demo's web page: maglev-web from the folder that this program is in, if it is
//! there. It ends with the daemon, however that ends: its standard input does.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long the page may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// The running page.
pub struct DemoPage {
    pub url: String,
    pub user: String,
    pub password: String,
    child: Child,
    _input: Option<ChildStdin>,
}

impl DemoPage {
    /// Serves the page of the daemon at `server`; `None`: there is no maglev-web, or it
    /// does not start. The demo does without it.
    pub async fn start(server: &str) -> Option<Self> {
        let program = std::env::current_exe().ok()?.with_file_name("maglev-web");
        let mut command = Command::new(program);
        let server = format!("demo={server}");
        command.args(["--demo", "--server", &server, "--listen", "127.0.0.1:0"]);
        command.args(["--log-level", "error", "--log-format", "json"]);
        // What is set for another server of this machine is not for this one.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("MAGLEV_")) {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take()?);
        let (told, telling) = oneshot::channel();
        std::thread::spawn(move || {
            let mut told = Some(told);
            // What it writes later has to be read, too.
            for line in output.lines().map_while(Result::ok) {
                if let Some(words) = line.strip_prefix("page ")
                    && let Some(told) = told.take()
                {
                    let _ = told.send(words.to_owned());
                }
            }
        });
        let words = timeout(PATIENCE, telling).await.ok()?.ok();
        let mut words = words.as_deref().unwrap_or_default().split(' ').map(str::to_owned);
        let (url, user, password) = (words.next()?, words.next()?, words.next()?);
        Some(Self { url, user, password, child, _input: input })
    }
}

impl Drop for DemoPage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
