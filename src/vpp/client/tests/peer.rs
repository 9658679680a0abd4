//! A peer whose answers a test scripts, on a socket of its own.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use crate::vpp::client::connection::RequiredMessages;
use crate::vpp::client::dialect::weights::WeightsDialect;
use crate::vpp::wire::{
    self, CliInband, CliInbandReply, ControlPingReply, FieldReader, FixedText, FrameBuffer,
    LbAsSetWeightReply, Message, MessageTable, RequestHead, ShowVersionReply, SockclntCreate,
    SockclntCreateReply, SockclntDeleteReply, read_bare, read_request, write_bare, write_reply,
};

const INDEX: u32 = 0x8000_0001;

/// What a peer does with a request: `true` goes on, `false` closes.
pub(super) type PeerScript =
    Box<dyn FnMut(&ScriptedVpp, &str, RequestHead, &[u8], &mut Vec<u8>) -> bool + Send>;

pub(super) struct ScriptedVpp {
    keys: Vec<String>,
}

impl ScriptedVpp {
    pub(super) fn id<M: Message>(&self) -> u16 {
        let at = self.keys.iter().position(|key| *key == M::key()).unwrap();
        u16::try_from(at + 1).unwrap()
    }

    pub(super) fn reply<M: wire::Reply>(&self, out: &mut Vec<u8>, head: RequestHead, message: &M) {
        write_reply(out, self.id::<M>(), head.context, message);
    }

    /// What any VPP says to what every connection asks.
    pub(super) fn usual(
        &self,
        name: &str,
        head: RequestHead,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        match name {
            "control_ping" => {
                let pong = ControlPingReply { retval: 0, client_index: INDEX, vpe_pid: 42 };
                self.reply(out, head, &pong);
            }
            "show_version" => {
                let version = ShowVersionReply {
                    retval: 0,
                    program: FixedText::new("vpe"),
                    version: FixedText::new("26.10"),
                    build_date: FixedText::new("today"),
                    build_directory: FixedText::new("/build"),
                };
                self.reply(out, head, &version);
            }
            "cli_inband" => {
                let (_, line) = read_request::<CliInband>(body).unwrap();
                let known = line.cmd.starts_with(b"show");
                let reply = CliInbandReply { retval: if known { 0 } else { -1 }, reply: vec![] };
                self.reply(out, head, &reply);
            }
            "lb_as_set_weight" => self.reply(out, head, &LbAsSetWeightReply { retval: 0 }),
            "sockclnt_delete" => {
                self.reply(out, head, &SockclntDeleteReply { response: 1 });
                return false;
            }
            _ => {}
        }
        true
    }

    fn serve(&self, mut stream: UnixStream, mut answer: PeerScript, log: &mpsc::Sender<String>) {
        let mut frames = FrameBuffer::new(1 << 16);
        let mut buffer = [0; 4096];
        loop {
            let count = stream.read(&mut buffer).unwrap_or(0);
            if count == 0 {
                log.send("(closed)".into()).ok();
                return;
            }
            frames.push(&buffer[..count]);
            while let Some(body) = frames.next_body().unwrap() {
                let mut from = FieldReader::new(body);
                let id = from.u16().unwrap();
                let mut out = Vec::new();
                let mut go_on = true;
                if id == 15 {
                    let create: SockclntCreate = read_bare(body).unwrap();
                    let entries = self.keys.iter().zip(1..).map(|(key, id)| (id, key.clone()));
                    let reply = SockclntCreateReply {
                        client_index: 0,
                        context: create.context,
                        response: 0,
                        index: INDEX,
                        table: MessageTable::new(entries),
                    };
                    write_bare(&mut out, 16, &reply);
                } else {
                    let head = RequestHead {
                        client_index: from.u32().unwrap(),
                        context: from.u32().unwrap(),
                    };
                    let key = &self.keys[usize::from(id) - 1];
                    let (name, _) = key.rsplit_once('_').unwrap();
                    log.send(name.to_owned()).ok();
                    go_on = answer(self, name, head, body, &mut out);
                }
                if stream.write_all(&out).is_err() || !go_on {
                    return;
                }
            }
        }
    }
}

pub(super) struct Scene {
    pub(super) path: PathBuf,
    pub(super) log: mpsc::Receiver<String>,
    _directory: tempfile::TempDir,
}

/// A peer that knows every message but `lacking` and takes one connection.
pub(super) fn peer(lacking: &'static str, answer: PeerScript) -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("api.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (to, log) = mpsc::channel();
    thread::spawn(move || {
        let keys = WeightsDialect::missing(&MessageTable::default());
        let keys = keys.into_iter().filter(|key| key.rsplit_once('_').unwrap().0 != lacking);
        let peer = ScriptedVpp { keys: keys.collect() };
        let (stream, _) = listener.accept().unwrap();
        peer.serve(stream, answer, &to);
    });
    Scene { path, log, _directory: directory }
}

pub(super) fn usual() -> PeerScript {
    Box::new(|peer, name, head, body, out| peer.usual(name, head, body, out))
}
