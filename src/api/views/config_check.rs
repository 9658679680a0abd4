//! The result of checking or reloading the configuration file.

use serde::Serialize;

use super::text::printable;
use crate::pb;

/// What a check of the configuration file found. Texts are printable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConfigCheckJson {
    /// Whether the file is accepted; after a reload, whether it is in use.
    pub ok: bool,
    /// Why it cannot be read or parsed.
    pub parse_errors: Vec<String>,
    /// What is impossible in it; each with its path.
    pub semantic_errors: Vec<String>,
    /// Why a valid file could not be used.
    pub reload_errors: Vec<String>,
    /// What is allowed and probably not meant; each with its path.
    pub warnings: Vec<String>,
}

impl ConfigCheckJson {
    /// Every error.
    pub fn errors(&self) -> impl Iterator<Item = &String> {
        self.parse_errors.iter().chain(&self.semantic_errors).chain(&self.reload_errors)
    }
}

impl From<&pb::CheckConfigResponse> for ConfigCheckJson {
    fn from(response: &pb::CheckConfigResponse) -> Self {
        Self {
            ok: response.ok,
            parse_errors: lines(&response.parse_error),
            semantic_errors: lines(&response.semantic_error),
            reload_errors: Vec::new(),
            warnings: response.warnings.iter().map(|warning| printable(warning)).collect(),
        }
    }
}

impl From<&pb::ReloadConfigResponse> for ConfigCheckJson {
    fn from(response: &pb::ReloadConfigResponse) -> Self {
        Self {
            ok: response.ok,
            parse_errors: lines(&response.parse_error),
            semantic_errors: lines(&response.semantic_error),
            reload_errors: lines(&response.reload_error),
            warnings: Vec::new(),
        }
    }
}

/// The daemon sends one error a line.
fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_one_error() {
        let response = pb::CheckConfigResponse {
            semantic_error: "a: wrong\n\nb: \x1bwrong\n".into(),
            ..Default::default()
        };
        let check = ConfigCheckJson::from(&response);
        assert_eq!(check.errors().collect::<Vec<_>>(), ["a: wrong", "b: \\u{1b}wrong"]);
    }
}
