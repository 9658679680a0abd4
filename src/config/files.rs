//! The files that an accepted configuration names, and that probes need.

use std::path::Path;
use std::time::Duration;

use super::check_fault::CheckProblem;
use super::error::{FaultList, ReadError};
use super::read;
use super::report::{ConfigPath, FaultReport};
use crate::domain::config::{CheckKind, ClientCredentials, Config, HeaderValue, TlsClient};
use crate::domain::http::is_header_value;

/// The largest file that a check names.
const MAX_SIZE: usize = 1 << 20;

/// The faults of all files that the checks name: those that cannot be read, or that hold
/// something else than what is wanted. Nothing of what they hold is repeated.
pub(super) fn faults(config: &Config, time: Duration) -> FaultList {
    let mut report = FaultReport::default();
    let checks = ConfigPath::Root.key("healthchecks");
    for (name, check) in &config.checks {
        let at = checks.key(name.as_str());
        let at = at.key("params");
        if let Some(tls) = check.kind.tls() {
            look_at_tls(&tls.client, &at, time, &mut report);
        }
        if let CheckKind::Http { exchange, .. } = &check.kind {
            let at = at.key("headers");
            for header in &exchange.headers {
                let HeaderValue::File(file) = &header.value else { continue };
                let at = at.key(&header.name);
                let why = "holds no value of a header: write one line without control characters";
                let is_value = |bytes: &[u8]| is_header_value(bytes.trim_ascii_end());
                look(file, &at.key("file"), (why, is_value), time, &mut report);
            }
        }
    }
    report.faults
}

/// That they can be used is known when a probe does.
fn look_at_tls(client: &TlsClient, at: &ConfigPath<'_>, time: Duration, report: &mut FaultReport) {
    let has = |label: &'static [u8]| {
        move |bytes: &[u8]| bytes.windows(label.len()).any(|window| window == label)
    };
    let certificate = ("holds no certificate in PEM", has(b"-----BEGIN CERTIFICATE-----"));
    let key = ("holds no private key in PEM", has(b"PRIVATE KEY-----"));
    if let Some(ClientCredentials { certificate: file, key: key_file }) = &client.credentials {
        look(file, &at.key("client-certificate"), certificate, time, report);
        look(key_file, &at.key("client-key"), key, time, report);
    }
    if let Some(file) = &client.ca_file {
        look(file, &at.key("ca-file"), certificate, time, report);
    }
}

fn look(
    file: &str,
    at: &ConfigPath<'_>,
    (why, is_right): (&'static str, impl Fn(&[u8]) -> bool),
    time: Duration,
    report: &mut FaultReport,
) {
    let named = || file.to_owned();
    let problem = match read::bytes(Path::new(file), MAX_SIZE, time) {
        Ok(bytes) if is_right(&bytes) => return,
        Ok(_) => CheckProblem::UnusableFile { file: named(), why },
        Err(error) => CheckProblem::UnreadableFile { file: named(), why: reason(&error) },
    };
    report.fault(at, problem.into());
}

/// `No such file or directory`
fn reason(error: &ReadError) -> String {
    match error {
        ReadError::Io(error) => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
        ReadError::TooLarge { limit } => format!("it is larger than {} MiB", limit >> 20),
        ReadError::TooSlow { seconds } => format!("it does not end within {seconds} s"),
        ReadError::NotUtf8 { .. } | ReadError::Busy { .. } => error.to_string(),
    }
}
