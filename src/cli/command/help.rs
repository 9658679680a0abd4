//! `help`: a usage line for every command, generated from the grammar.

use crate::cli::command::grammar::{GrammarToken, Node, ROOT};

/// How one command is typed, and its purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The whole command: `set backend <backend> pause`.
    pub line: String,
    /// The purpose of its last word.
    pub help: &'static str,
}

/// Every command, in the order of the grammar, aliases left out.
#[must_use]
pub fn usages() -> Vec<Usage> {
    let mut found = Vec::new();
    for node in ROOT {
        walk(node, "", &mut found);
    }
    found
}

fn walk(node: &Node, before: &str, found: &mut Vec<Usage>) {
    let Some(own) = written(node) else { return };
    let line = if before.is_empty() { own } else { format!("{before} {own}") };
    if node.command.is_some() {
        found.push(Usage { line: line.clone() + &optional(node), help: node.help });
    }
    for next in node.next {
        walk(next, &line, found);
    }
}

/// ` [a] [b <n>]` for the options of `node`.
fn optional(node: &Node) -> String {
    node.options.iter().filter_map(|option| Some(format!(" [{}]", phrase(option)?))).collect()
}

/// An option with its values and options: `level debug|info`.
fn phrase(node: &Node) -> Option<String> {
    let mut text = written(node)?;
    let next: Vec<String> = node.next.iter().filter_map(phrase).collect();
    if !next.is_empty() {
        text = format!("{text} {}", next.join("|"));
    }
    Some(text + &optional(node))
}

fn written(node: &Node) -> Option<String> {
    match node.token {
        GrammarToken::Word(word) | GrammarToken::Yielding(word) | GrammarToken::Whole(word) => {
            Some(word.to_owned())
        }
        GrammarToken::Slot(slot) => Some(slot.placeholder().to_owned()),
        GrammarToken::Alias(_) => None,
    }
}

/// The usage lines as text, aligned.
#[must_use]
pub fn text() -> String {
    let usages = usages();
    // The help of longer lines is printed below them.
    const COLUMN: usize = 44;
    let mut text = String::from(
        "Any unambiguous beginning of a word works: `sh vpp i` is `show vpp info`.\n\n",
    );
    for Usage { line, help } in usages {
        if line.chars().count() <= COLUMN {
            text.push_str(&format!("{line:<COLUMN$}  {help}\n"));
        } else {
            text.push_str(&format!("{line}\n{:COLUMN$}  {help}\n", ""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_lines_are_those_of_the_interface() {
        let lines: Vec<String> = usages().into_iter().map(|usage| usage.line).collect();
        let expected = [
            "show version",
            "show frontends",
            "show frontend <frontend> [if backend <backend> weight <0-100>]",
            "show backends",
            "show backend <backend>",
            "show healthchecks",
            "show healthcheck <healthcheck>",
            "show identity",
            "show overrides",
            "show announcements [<address|frontend>]",
            "show timeline [backend <backend>] [frontend <frontend>] [since <duration>]",
            "show vpp info",
            "show vpp doctor",
            "show vpp lb state",
            "show vpp lb counters",
            "explain backend <backend>",
            "explain frontend <frontend>",
            "compare",
            "set backend <backend> pause [for <duration>] [because <text>]",
            "set backend <backend> resume [slowly] [because <text>]",
            "set backend <backend> enable [for <duration>] [because <text>]",
            "set backend <backend> disable [for <duration>] [because <text>]",
            "set frontend <frontend> pool <pool> backend <backend> weight <0-100> \
             [for <duration>] [because <text>]",
            "set announcement <address|frontend> announce [for <duration>] [because <text>]",
            "set announcement <address|frontend> drain [for <duration>] [because <text>]",
            "set announcement <address|frontend> withdraw [for <duration>] [because <text>]",
            "set announcement all announce [for <duration>] [because <text>]",
            "set announcement all drain [for <duration>] [because <text>]",
            "set announcement all withdraw [for <duration>] [because <text>]",
            "unset backend <backend> [because <text>]",
            "unset frontend <frontend> pool <pool> backend <backend> [because <text>]",
            "unset announcement <address|frontend> [because <text>]",
            "unset announcement all [because <text>]",
            "drain backend <backend> [timeout <duration> [then flush]] [wait] [because <text>]",
            "undrain backend <backend> [because <text>]",
            "withdraw all [for <duration>] [because <text>]",
            "announce all [because <text>]",
            "sync vpp lb state [<frontend>] [dry-run] [force]",
            "config check",
            "config reload [force]",
            "watch state",
            "watch events [num <n>] [log [level debug|info|warn|error]] [backend] [frontend] [dataplane] [hold] [drain] [audit] [announcement]",
            "completions bash",
            "completions zsh",
            "completions fish",
            "help",
            "quit",
            "exit",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn every_node_has_help() {
        fn check(nodes: &[Node]) {
            for node in nodes {
                assert!(!node.help.is_empty(), "{:?}", node.token);
                check(node.next);
                check(node.options);
            }
        }
        check(ROOT);
    }
}
