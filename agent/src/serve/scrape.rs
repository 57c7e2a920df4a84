//! `/metrics`: in the format, and packed or not, as the request's headers have it.

use std::io;

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use loop_core::snapshot::Snapshot;
use loopscope_exporters::{Format, SelfStats, takes_gzip};

/// The page of one loop, 60 KB of text, becomes 5 KB in the fastest way already.
const PACKING: Compression = Compression::fast();

/// How a request wants its page.
pub(super) struct Wanted {
    format: Format,
    gzip: bool,
}

impl Wanted {
    pub(super) fn by(headers: &HeaderMap) -> Wanted {
        Wanted {
            format: Format::of(&all(headers, &header::ACCEPT)),
            gzip: takes_gzip(&all(headers, &header::ACCEPT_ENCODING)),
        }
    }

    /// The page of a snapshot.
    ///
    /// # Errors
    /// When an exporter can't write, which into memory none can fail to.
    pub(super) fn page(&self, snapshot: &Snapshot, stats: &SelfStats) -> io::Result<Response> {
        let exporter = self.format.exporter();
        let mut page = Vec::new();
        if self.gzip {
            let mut packed = GzEncoder::new(page, PACKING);
            exporter.export(snapshot, stats, &mut packed)?;
            page = packed.finish()?;
        } else {
            exporter.export(snapshot, stats, &mut page)?;
        }
        let mut response = page.into_response();
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static(exporter.content_type());
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
        if self.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(response)
    }
}

/// The values of a header that may come more than once; what is no text is passed over.
fn all(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}
