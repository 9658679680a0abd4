//! The metrics page, and what else is served beside it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Daemon;
use super::wait::soon;

/// Status line and body of the answer to a GET.
pub(crate) async fn get(address: &str, path: &str) -> (String, String) {
    let answer = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = soon(answer).await.unwrap_or_else(|| panic!("no answer to GET {path} in time"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

/// Where the daemon serves it.
pub(crate) async fn metrics_address(daemon: &mut Daemon) -> String {
    daemon.logged("metrics-listening").await["address"].as_str().unwrap().to_owned()
}

/// The value of one series.
pub(crate) async fn sample(address: &str, series: &str) -> String {
    let (_, page) = get(address, "/metrics").await;
    let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{series} is not in {page}")).to_owned()
}
