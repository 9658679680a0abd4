//! What stands between a browser and maglev-web, and fails as such things do.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

/// A proxy of bytes on loopback. It ends when this is dropped.
pub(super) struct CuttingProxy {
    address: SocketAddr,
    /// Where it leads; `None`: it refuses.
    target: watch::Sender<Option<SocketAddr>>,
    cut: Arc<Notify>,
    serving: JoinHandle<()>,
}

impl CuttingProxy {
    /// One that leads there.
    pub(super) async fn start(target: &str) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (target, leads) = watch::channel(Some(target.parse().unwrap()));
        let cut = Arc::new(Notify::new());
        let cuts = Arc::clone(&cut);
        let serving = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while open.try_join_next().is_some() {}
                let Some(target) = *leads.borrow() else { continue };
                open.spawn(carry(stream, target, Arc::clone(&cuts)));
            }
        });
        Self { address, target, cut, serving }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Cuts every connection, and refuses new ones.
    pub(super) fn close(&self) {
        self.target.send_replace(None);
        self.cut.notify_waiters();
    }

    /// Leads there from now on.
    pub(super) fn open(&self, target: &str) {
        self.target.send_replace(Some(target.parse().unwrap()));
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn carry(mut stream: TcpStream, target: SocketAddr, cut: Arc<Notify>) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut stream, &mut server) => {}
        () = cut.notified() => {}
    }
}
