//! A real VictoriaMetrics: scraping what a test names, asked by the API of Prometheus.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::prometheus::{Api, write_config};
use super::server::Server;
use super::{free_address, http};

/// A running VictoriaMetrics.
#[derive(Debug)]
pub(crate) struct VictoriaMetrics {
    pub(crate) server: Server,
    pub(crate) api: Api,
}

impl VictoriaMetrics {
    /// Starts `program` with its data in `folder`, and waits until it answers.
    pub(crate) fn start(program: &Path, folder: &Path, targets: &[SocketAddr]) -> VictoriaMetrics {
        let address = free_address();
        let config = write_config(folder, targets);
        let mut command = Command::new(program);
        command
            .arg(format!("-httpListenAddr={address}"))
            .arg(format!("-promscrape.config={}", config.display()))
            .arg(format!("-storageDataPath={}", folder.join("data").display()))
            // A question is about now, and not about half a minute ago.
            .arg("-search.latencyOffset=1ms")
            .stdin(Stdio::null());
        let mut server = Server::start("victoria-metrics", command, folder);
        server.until("VictoriaMetrics is ready", || {
            http::get(address, "/health").is_ok_and(|(status, _)| status == 200)
        });
        VictoriaMetrics { server, api: Api::of(address) }
    }

    /// Waits until something holds of what was scraped.
    pub(crate) fn until(&mut self, what: &str, mut holds: impl FnMut(&Api) -> bool) {
        self.server.until(what, || holds(&self.api));
    }
}
