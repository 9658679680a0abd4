//! One nginx that answers for every address of 127.0.0.0/8.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

use socket2::{Domain, Socket, Type};

use super::support::process::Process;

/// See the module's description.
pub(super) struct Nginx {
    port: u16,
    _process: Process,
    _directory: tempfile::TempDir,
}

impl Nginx {
    /// Starts it on a free port, which only this machine reaches.
    pub(super) fn start() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind_device(Some(b"lo")).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()).unwrap();
        socket.listen(4096).unwrap();
        socket.set_nonblocking(true).unwrap();
        let port = socket.local_addr().unwrap().as_socket().unwrap().port();
        // It is handed down as nginx does itself when it changes its binary.
        socket.set_cloexec(false).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nginx.conf");
        std::fs::write(&path, config(port, &directory.path().display().to_string())).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&path).arg("-e").arg(directory.path().join("error.log"));
        command.env("NGINX", format!("{};", socket.as_raw_fd())).stdin(Stdio::null());
        Self { port, _process: Process::start(&mut command), _directory: directory }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Connections that it took so far, the one that asks not included.
    pub(super) fn connections(&self) -> u64 {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.write_all(b"GET /count HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let count = answer.lines().skip_while(|line| !line.starts_with("server accepts")).nth(1);
        count.unwrap().split_whitespace().next().unwrap().parse::<u64>().unwrap() - 1
    }
}

fn config(port: u16, directory: &str) -> String {
    format!(
        "daemon off;\nuser root;\nworker_processes 1;\npid {directory}/nginx.pid;\n\
         worker_rlimit_nofile 20000;\nevents {{ worker_connections 16000; multi_accept on; }}\n\
         http {{\n access_log off;\n lingering_close off;\n \
         client_body_temp_path {directory}/1;\n proxy_temp_path {directory}/2;\n \
         fastcgi_temp_path {directory}/3;\n uwsgi_temp_path {directory}/4;\n \
         scgi_temp_path {directory}/5;\n \
         server {{\n  listen 0.0.0.0:{port} backlog=4096;\n  \
         location / {{ return 200 ok; }}\n  location = /count {{ stub_status; }}\n }}\n}}\n"
    )
}
