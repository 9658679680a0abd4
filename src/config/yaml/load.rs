//! Makes a tree of the events of the YAML reader, within bounds.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::merge::{is_merge_key, merge};
use super::node::{Place, YamlEntry, YamlNode, YamlScalar, YamlValue};
use super::syntax_error::SyntaxError;
use crate::config::report::ConfigPath;

/// Levels of values, one in the other. The schema has nine.
pub(super) const MAX_DEPTH: usize = 64;

/// Values in a document, those that aliases and merge keys repeat included. A
/// frontend with four backends has some forty.
pub(super) const MAX_VALUES: usize = 4_000_000;

/// Reads the one document of `text`. Keys that begin with `x-` are left out of its
/// outermost mapping: they are there for their anchors.
pub(super) fn load(text: &str) -> Result<Rc<YamlNode<'_>>, SyntaxError> {
    refuse_control_characters(text)?;
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| not_yaml(&error))?;
        loader.take(event, place(&span.start))?;
    }
    let empty = || {
        let (value, line) = (YamlValue::Mapping(Vec::new()), text.matches('\n').count() + 1);
        Rc::new(YamlNode::new(Place { line, column: 1 }, value))
    };
    Ok(loader.root.filter(|root| !root.is_blank()).unwrap_or_else(empty))
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}

fn not_yaml(error: &ScanError) -> SyntaxError {
    SyntaxError::new(place(error.marker()), error.info())
}

/// The reader would take a NUL for the end of the text.
fn refuse_control_characters(text: &str) -> Result<(), SyntaxError> {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{85}') || !c.is_control();
    let Some((at, c)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) else { return Ok(()) };
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let message = format!("the control character {c:?} cannot stand in YAML: remove it");
    Err(SyntaxError::new(Place { line, column }, message))
}

#[derive(Default)]
struct Loader<'t> {
    /// The collections that have not ended, the outermost first.
    open: Vec<OpenCollection<'t>>,
    /// By the number that the reader gives an anchor.
    anchors: HashMap<usize, Rc<YamlNode<'t>>>,
    /// So far, those that were repeated included.
    values: usize,
    root: Option<Rc<YamlNode<'t>>>,
}

struct OpenCollection<'t> {
    place: Place,
    /// 0: it has none.
    anchor: usize,
    content: OpenContent<'t>,
}

enum OpenContent<'t> {
    Sequence(Vec<Rc<YamlNode<'t>>>),
    Mapping(OpenMapping<'t>),
}

#[derive(Default)]
struct OpenMapping<'t> {
    entries: Vec<YamlEntry<'t>>,
    seen: HashSet<Cow<'t, str>>,
    /// The key whose value comes next, with its place.
    key: Option<(MappingKey<'t>, Place)>,
    /// The value of `<<`.
    merged: Option<Rc<YamlNode<'t>>>,
}

enum MappingKey<'t> {
    Merge,
    Named(Cow<'t, str>),
}

impl<'t> Loader<'t> {
    fn take(&mut self, event: Event<'t>, place: Place) -> Result<(), SyntaxError> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(SyntaxError::new(place, "a second document begins here: keep one in a file"))
            }
            Event::DocumentStart(_) => Ok(()),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.refuse(place, "an alias cannot stand inside its own anchor"));
                };
                self.count(node.size, node.depth, place)?;
                self.add(node, place)
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, 1, place)?;
                let is_plain = self.is_plain(style, tag.as_deref(), place)?;
                let value = YamlValue::Scalar(YamlScalar { text, is_plain });
                self.finish(YamlNode::new(place, value), anchor, place)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), "seq", place)?;
                self.begin(OpenContent::Sequence(Vec::new()), anchor, place)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), "map", place)?;
                self.begin(OpenContent::Mapping(OpenMapping::default()), anchor, place)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn begin(
        &mut self,
        content: OpenContent<'t>,
        anchor: usize,
        place: Place,
    ) -> Result<(), SyntaxError> {
        self.count(1, 1, place)?;
        self.open.push(OpenCollection { place, anchor, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        let Some(OpenCollection { place, anchor, content }) = self.open.pop() else {
            return Ok(());
        };
        let value = match content {
            OpenContent::Sequence(items) => YamlValue::Sequence(items),
            OpenContent::Mapping(mapping) => YamlValue::Mapping(self.entries(mapping)?),
        };
        self.finish(YamlNode::new(place, value), anchor, place)
    }

    /// The entries of a mapping that has ended, merged ones included.
    fn entries(&mut self, mut mapping: OpenMapping<'t>) -> Result<Vec<YamlEntry<'t>>, SyntaxError> {
        let OpenMapping { entries, seen, merged, .. } = &mut mapping;
        if let Some(merged) = merged
            && let Err(other) = merge(merged, entries, seen)
        {
            let fault = "takes a mapping, or a list of mappings: give an alias such as *base";
            return Err(self.refuse_merge(other.place, fault));
        }
        if self.open.is_empty() {
            entries.retain(|entry| !entry.key.starts_with("x-"));
        }
        Ok(mapping.entries)
    }

    fn finish(
        &mut self,
        node: YamlNode<'t>,
        anchor: usize,
        place: Place,
    ) -> Result<(), SyntaxError> {
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.add(node, place)
    }

    /// Adds a whole value to the collection that it stands in. The `place` is where
    /// it stands: an alias's own.
    fn add(&mut self, node: Rc<YamlNode<'t>>, place: Place) -> Result<(), SyntaxError> {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let mapping = match &mut parent.content {
            OpenContent::Sequence(items) => {
                items.push(node);
                return Ok(());
            }
            OpenContent::Mapping(mapping) => mapping,
        };
        match mapping.key.take() {
            Some((MappingKey::Merge, key_place)) if node.is_blank() => {
                let fault = "has nothing behind it: give an alias such as *base";
                Err(self.refuse_merge(key_place, fault))
            }
            Some((MappingKey::Merge, _)) => {
                mapping.merged = Some(node);
                Ok(())
            }
            Some((MappingKey::Named(key), place)) => {
                mapping.entries.push(YamlEntry { key, place, value: node });
                Ok(())
            }
            None => self.add_key(&node, place),
        }
    }

    fn add_key(&mut self, node: &YamlNode<'t>, place: Place) -> Result<(), SyntaxError> {
        let YamlValue::Scalar(scalar) = &node.value else {
            return Err(self.refuse(place, "a key must be one word, not a mapping or a list"));
        };
        let Some(OpenCollection { content: OpenContent::Mapping(mapping), .. }) =
            self.open.last_mut()
        else {
            return Ok(());
        };
        let is_merge = is_merge_key(scalar);
        let is_new = if is_merge {
            mapping.merged.is_none()
        } else {
            mapping.seen.insert(scalar.text.clone())
        };
        if !is_new {
            let message = format!("the key {:?} is given twice: remove one", scalar.text);
            return Err(self.refuse(place, &message));
        }
        let key = if is_merge { MappingKey::Merge } else { MappingKey::Named(scalar.text.clone()) };
        mapping.key = Some((key, place));
        Ok(())
    }

    /// Counts the values of one that is `depth` levels deep.
    fn count(&mut self, values: usize, depth: usize, place: Place) -> Result<(), SyntaxError> {
        if self.open.len() + depth > MAX_DEPTH {
            let message = format!("values stand in each other more than {MAX_DEPTH} deep");
            return Err(SyntaxError::new(place, message));
        }
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES {
            let message = format!(
                "the file has more than {MAX_VALUES} values, counting those that aliases repeat"
            );
            return Err(SyntaxError::new(place, message));
        }
        Ok(())
    }

    fn is_plain(
        &self,
        style: ScalarStyle,
        tag: Option<&Tag>,
        place: Place,
    ) -> Result<bool, SyntaxError> {
        match tag {
            None => Ok(style == ScalarStyle::Plain),
            Some(Tag { handle, suffix }) if handle.is_empty() && suffix == "!" => Ok(false),
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Ok(false),
            Some(tag)
                if tag.is_yaml_core_schema()
                    && ["int", "bool", "float", "null"].contains(&tag.suffix.as_str()) =>
            {
                Ok(true)
            }
            tag => self.refuse_tag(tag, "str", place).map(|()| false),
        }
    }

    fn refuse_tag(&self, tag: Option<&Tag>, known: &str, place: Place) -> Result<(), SyntaxError> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == known) => {
                let shown = match tag.is_yaml_core_schema() {
                    true => format!("!!{}", tag.suffix),
                    false => tag.to_string(),
                };
                let message = format!("the YAML tag {shown} means nothing here: remove it");
                Err(self.refuse(place, &message))
            }
            _ => Ok(()),
        }
    }

    /// The error about what comes next, with its path.
    fn refuse(&self, place: Place, message: &str) -> SyntaxError {
        refuse(&self.open, &ConfigPath::Root, None, place, message)
    }

    /// The error about the value of the merge key.
    fn refuse_merge(&self, place: Place, message: &str) -> SyntaxError {
        refuse(&self.open, &ConfigPath::Root, Some("<<"), place, message)
    }
}

/// Follows the path from the outermost collection to the present place, and from there
/// to the `last` key.
fn refuse(
    open: &[OpenCollection<'_>],
    at: &ConfigPath<'_>,
    last: Option<&str>,
    place: Place,
    message: &str,
) -> SyntaxError {
    let Some((first, rest)) = open.split_first() else {
        return match last {
            Some(key) => SyntaxError::at(place, &at.key(key), message),
            None => SyntaxError::at(place, at, message),
        };
    };
    match &first.content {
        OpenContent::Sequence(items) => refuse(rest, &at.index(items.len()), last, place, message),
        OpenContent::Mapping(OpenMapping { key: Some((MappingKey::Named(key), _)), .. }) => {
            refuse(rest, &at.key(key), last, place, message)
        }
        OpenContent::Mapping(_) => refuse(rest, at, last, place, message),
    }
}
