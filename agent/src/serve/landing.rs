//! The landing page: what is observed, and where the other pages are. Needs no other file.

use loop_core::snapshot::{LoopSnapshot, Snapshot};
use loop_core::units::{format_count, format_ns};

const HEAD: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>loopscope</title>\
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:50rem;padding:0 1rem;\
color-scheme:light dark}table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;\
border-bottom:1px solid #8884}</style></head>\n<body><h1>loopscope</h1>\n";

const LINKS: &str = "<ul><li><a href=\"/metrics\">/metrics</a>: Prometheus text format</li>\
<li><a href=\"/-/healthy\">/-/healthy</a></li><li><a href=\"/-/ready\">/-/ready</a></li></ul>\n";

/// The page for what was observed until now.
pub(super) fn page(snapshot: &Snapshot) -> String {
    let mut page = String::from(HEAD);
    page.push_str("<p>Event loop delay diagnostics, version ");
    page.push_str(env!("CARGO_PKG_VERSION"));
    page.push_str(".</p>\n");
    page.push_str(LINKS);
    page.push_str("<h2>Observed</h2>\n<table><tr><th>target<th>pid<th>thread<th>turns<th>stalls");
    page.push_str("<th>now</tr>\n");
    for observed in &snapshot.loops {
        page.push_str(&row(snapshot, observed));
    }
    page.push_str("</table>\n<p>Source and tier: ");
    let sources = snapshot.targets.iter().map(|target| {
        let (name, source) = (escape(&target.name), target.source.name());
        format!("{name}: {source}, {}", target.tier.name())
    });
    page.push_str(&sources.collect::<Vec<_>>().join("; "));
    page.push_str(".</p></body></html>\n");
    page
}

fn row(snapshot: &Snapshot, observed: &LoopSnapshot) -> String {
    let target = snapshot.targets.iter().find(|target| target.pid == observed.pid);
    let name = target.map_or("unknown", |target| target.name.as_str());
    let now = match observed.open {
        Some(open) => format!("in a turn for {}", format_ns(open.age_ns)),
        None => "waiting".to_owned(),
    };
    format!(
        "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{now}</tr>\n",
        escape(name),
        observed.pid,
        escape(&observed.thread),
        observed.turns.map_or_else(|| "-".to_owned(), format_count),
        format_count(observed.stall_totals.total_count()),
    )
}

/// Names come from processes that anybody may have started: nothing of them becomes markup.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use loop_core::snapshot::ClockKind;

    #[test]
    fn a_name_never_becomes_markup() {
        let observed = LoopSnapshot { thread: "<script>\"'&".into(), ..LoopSnapshot::default() };
        let snapshot = Snapshot { loops: vec![observed], ..Snapshot::empty(ClockKind::Real) };
        let page = page(&snapshot);
        assert!(page.contains("&lt;script&gt;&quot;&#39;&amp;"), "{page}");
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("href=\"/metrics\"") && page.ends_with("</html>\n"));
    }
}
