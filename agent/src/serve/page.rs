//! The page for people: who is held up now, every loop, the newest stalls. One document that asks
//! for nothing but `/api/now`, once a second; without its script it is a table of what is so.
//!
//! **Invariant**: nothing is loaded from elsewhere, and no name of a process becomes markup.

use std::fmt::Write;

use loop_core::snapshot::Source;
use loop_core::units::{format_count, format_ns};

use crate::now::Now;
use crate::page::{self, escape};

const BODY: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// What the page may do: its own style and script, and to ask who serves it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";

const PAGES: &str = "<p><a href=\"/metrics\">/metrics</a> <a href=\"/api/now\">/api/now</a> \
    <a href=\"/-/healthy\">/-/healthy</a> <a href=\"/-/ready\">/-/ready</a></p>";

/// The page, with what is so now for who has no script.
pub(super) fn page(now: &Now) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = page::head(&format!("loopscope {version}"), POLICY, &page::style(STYLE));
    let _ = write!(
        page,
        "{BODY}<noscript><main>{PAGES}\n<table><tr><th>process<th>pid<th>thread<th>turns<th>stalls\
         <th>source<th>now</tr>\n",
    );
    now.loops.iter().for_each(|row| {
        let turn = match row.current_turn_ns {
            _ if row.ended => "ended".to_owned(),
            0 => "waiting".to_owned(),
            ns => format!("in a turn for {}", format_ns(ns)),
        };
        let _ = writeln!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{turn}</tr>",
            escape(&row.target),
            row.pid,
            escape(&row.thread),
            row.turns.map_or_else(|| "-".to_owned(), format_count),
            format_count(row.stalls),
            row.source.map_or("-", Source::name),
        );
    });
    let script = page::script(&[SCRIPT]);
    let _ =
        write!(page, "</table></main></noscript>\n<script>\n{script}</script>\n</body></html>\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::now::Look;
    use loop_core::snapshot::{ClockKind, LoopSnapshot, Snapshot};

    #[test]
    fn a_name_never_becomes_markup() {
        let thread = "<script>\"'&".to_owned();
        let observed = LoopSnapshot { thread, ..LoopSnapshot::default() };
        let snapshot = Snapshot { loops: vec![observed], ..Snapshot::empty(ClockKind::Real) };
        let page = page(&Now::of(&snapshot, Look { unix_ns: 0, stall_threshold_ns: 1 }));
        assert!(page.contains("&lt;script&gt;&quot;&#39;&amp;"), "{page}");
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert!(page.contains("href=\"/metrics\"") && page.ends_with("</html>\n"));
    }
}
