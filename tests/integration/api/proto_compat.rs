//! What was released stays: no field, RPC or message of `proto/` goes away or
//! becomes another, and everything is documented.
//!
//! `tests/data/released.txt` is the interface of the last release, a line for
//! each thing in it. With a release it is written anew:
//! `RELEASE=1 cargo test --test integration proto_compat`.

use std::collections::BTreeSet;

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::source_code_info::Location;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

const RELEASED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/released.txt");

fn file() -> FileDescriptorProto {
    let set = FileDescriptorSet::decode(vpp_maglev::pb::DESCRIPTORS).unwrap();
    set.file.into_iter().find(|file| file.package() == "maglev").unwrap()
}

/// `Event 14 uint64 seq`, `rpc GetBackend(GetBackendRequest) BackendInfo`: all
/// that a client on the wire or in generated code can depend on.
fn interface(file: &FileDescriptorProto) -> BTreeSet<String> {
    assert!(file.enum_type.is_empty() && file.extension.is_empty(), "taught to the test first");
    let mut lines = BTreeSet::new();
    for service in &file.service {
        for method in &service.method {
            let stream = |is: bool| if is { "stream " } else { "" };
            lines.insert(format!(
                "rpc {}.{}({}{}) {}{}",
                service.name(),
                method.name(),
                stream(method.client_streaming()),
                short(method.input_type()),
                stream(method.server_streaming()),
                short(method.output_type()),
            ));
        }
    }
    for message in &file.message_type {
        assert!(message.nested_type.is_empty() && message.enum_type.is_empty());
        lines.insert(format!("message {}", message.name()));
        for field in &message.field {
            let (number, kind) = (field.number(), kind(message, field));
            lines.insert(format!("{} {number} {kind} {}", message.name(), field.name()));
        }
    }
    lines
}

fn short(name: &str) -> &str {
    name.strip_prefix(".maglev.").unwrap_or(name)
}

/// `repeated string`, `optional bool`, `oneof event LogEvent`.
fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let name = match field.r#type() {
        Type::Message => short(field.type_name()).to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    match field.oneof_index {
        _ if field.proto3_optional() => format!("optional {name}"),
        Some(index) => {
            let of = message.oneof_decl[usize::try_from(index).unwrap()].name();
            format!("oneof {of} {name}")
        }
        None if field.label() == Label::Repeated => format!("repeated {name}"),
        None => name,
    }
}

/// What was released and is no longer so.
fn broken<'a>(released: &'a str, now: &BTreeSet<String>) -> Vec<&'a str> {
    let lines = released.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter(|line| !now.contains(*line)).collect()
}

#[test]
fn what_was_released_stays() {
    let now = interface(&file());
    if std::env::var_os("RELEASE").is_some() {
        let head = "# What clients of the last release depend on; see tests/integration/api/proto_compat.rs.\n";
        let lines: String = now.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(RELEASED, format!("{head}{lines}")).unwrap();
    }
    let released = std::fs::read_to_string(RELEASED).unwrap();
    let broken = broken(&released, &now);
    assert!(
        broken.is_empty(),
        "released, and no longer so: {broken:#?}\ngive a new field a new number and a new name, \
         and leave the old one alone"
    );
    assert!(released.lines().count() > 150, "the release is not all here");
}

#[test]
fn every_way_to_break_a_client_is_noticed() {
    let released: String = interface(&file()).iter().map(|line| format!("{line}\n")).collect();
    type Change = fn(&mut FileDescriptorProto);
    fn message<'a>(file: &'a mut FileDescriptorProto, name: &str) -> &'a mut DescriptorProto {
        file.message_type.iter_mut().find(|message| message.name() == name).unwrap()
    }
    fn field<'a>(file: &'a mut FileDescriptorProto, name: &str) -> &'a mut FieldDescriptorProto {
        message(file, "Event").field.iter_mut().find(|field| field.name() == name).unwrap()
    }
    let changes: [(&str, Change); 9] = [
        ("a field removed", |file| {
            message(file, "BackendInfo").field.remove(0);
        }),
        ("a field renumbered", |file| field(file, "seq").number = Some(16)),
        ("a field renamed", |file| field(file, "seq").name = Some("number".into())),
        ("a field retyped", |file| field(file, "seq").set_type(Type::Int64)),
        ("a field repeated", |file| field(file, "seq").set_label(Label::Repeated)),
        ("a field taken out of its oneof", |file| field(file, "log").oneof_index = None),
        ("a message removed", |file| {
            file.message_type.retain(|message| message.name() != "ListFrontendsRequest");
        }),
        ("an RPC removed", |file| {
            file.service[0].method.remove(3);
        }),
        ("a stream no longer one", |file| {
            let methods = file.service[0].method.iter_mut();
            methods.for_each(|method| method.server_streaming = Some(false));
        }),
    ];
    for (what, change) in changes {
        let mut file = file();
        change(&mut file);
        assert!(!broken(&released, &interface(&file)).is_empty(), "not noticed: {what}");
    }
}

#[test]
fn everything_is_documented() {
    let file = file();
    let info = file.source_code_info.as_ref().unwrap();
    let documented = |path: &[i32]| {
        let said = |place: &&Location| place.path == path && place.leading_comments.is_some();
        info.location.iter().any(|place| said(&place))
    };
    // Numbers of descriptor.proto: 4 message_type, 2 field; 6 service, 2 method.
    let mut bare = Vec::new();
    for (place, message) in (0..).zip(&file.message_type) {
        for (number, field) in (0..).zip(&message.field) {
            if !documented(&[4, place, 2, number]) {
                bare.push(format!("{}.{}", message.name(), field.name()));
            }
        }
    }
    for (place, service) in (0..).zip(&file.service) {
        for (number, method) in (0..).zip(&service.method) {
            if !documented(&[6, place, 2, number]) {
                bare.push(method.name().to_owned());
            }
        }
    }
    assert!(bare.is_empty(), "without a word: {bare:#?}");
}
