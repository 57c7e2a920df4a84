//! The timeline as a picture: one page with everything in it, that asks for nothing from anywhere.
//!
//! Lanes are the phases, in the order in which a turn comes to them; rows are the turns. So time
//! runs as one reads: to the right, then down. Without its script the page shows all but the
//! reasons.
//!
//! **Invariant**: no text of the program gets into the page but by [`escape`].

use std::collections::BTreeMap;
use std::fmt::Write;

use loopscope_workloads::timeline::Place;

use super::tree::{self, Kind, Node};
use super::{Explained, text, why};
use crate::page::{self, escape};

const STYLE: &str = include_str!("picture/page.css");
const SCRIPT: &str = include_str!("picture/page.js");

/// The lanes, in the order of a turn.
const LANES: [&str; 8] =
    ["main", "pending", "poll", "check", "close", "timers", "beforeExit", "exit"];

/// The most nodes of a list that are drawn.
const DRAWN_MAX: usize = 200;

/// The most frames of a stack that are drawn in a line.
const FRAMES_MAX: usize = 12;

/// A list that is longer than this is closed at first.
const OPEN_MAX: usize = 24;

/// The page.
pub fn html(explained: &Explained<'_>) -> String {
    let turns = tree::grow(explained);
    let lanes: Vec<&str> = LANES.into_iter().filter(|lane| is_used(&turns, lane)).collect();
    let mut page = Page { files: file_numbers(explained), nodes: 0, out: String::new() };
    page.head(explained);
    page.put("<main>");
    page.lanes(&lanes, &turns);
    page.claims(explained);
    page.put("</main><aside><section id=\"why\" aria-live=\"polite\"></section>");
    page.sources(explained);
    let _ = write!(page.out, "</aside>\n<script>\n{SCRIPT}</script>\n</body></html>\n");
    page.out
}

fn is_used(turns: &[Node], lane: &str) -> bool {
    let mut phases = turns.iter().flat_map(|turn| &turn.children);
    phases.any(|phase| phase.label == lane && phase.has_content())
}

fn file_numbers(explained: &Explained<'_>) -> BTreeMap<String, usize> {
    explained.sources.keys().enumerate().map(|(number, file)| (file.clone(), number)).collect()
}

struct Page {
    files: BTreeMap<String, usize>,
    nodes: usize,
    out: String,
}

impl Page {
    fn put(&mut self, html: &str) {
        self.out.push_str(html);
        self.out.push('\n');
    }

    fn head(&mut self, explained: &Explained<'_>) {
        let name = escape(&explained.name);
        let title = explained.header.as_ref().map(|header| escape(&header.title));
        let about = escape(&text::about(explained));
        let title_of_page = format!("{} - loopscope explain", explained.name);
        self.out = page::head(&title_of_page, page::ALONE, &format!("{}{STYLE}", page::THEME));
        let _ = writeln!(
            self.out,
            "<header><h1>{name}</h1><p>{about}</p><p>{}</p>\
             <nav><button data-key=\"-\" title=\"smaller (-)\">−</button>\
             <button data-key=\"+\" title=\"larger (+)\">+</button>\
             <button data-key=\"e\" title=\"open all (e)\">open all</button>\
             <button data-key=\"c\" title=\"close all (c)\">close all</button></nav></header>",
            title.unwrap_or_default()
        );
    }

    fn lanes(&mut self, lanes: &[&str], turns: &[Node]) {
        let columns = lanes.len().max(1);
        let _ = writeln!(
            self.out,
            "<div class=\"lanes\" style=\"grid-template-columns: repeat({columns}, \
             minmax(16rem, 1fr))\">"
        );
        for lane in lanes {
            let _ = writeln!(self.out, "<div class=\"lane {lane}\">{lane}</div>");
        }
        for turn in turns.iter().filter(|turn| turn.children.iter().any(Node::has_content)) {
            let at = text::milliseconds(turn.at_ns);
            let label = escape(&turn.label);
            let _ = writeln!(self.out, "<div class=\"turn\">{label} <small>at {at}</small></div>");
            for phase in turn.children.iter().filter(|phase| phase.has_content()) {
                self.phase(lanes, phase);
            }
        }
        self.put("</div>");
    }

    fn phase(&mut self, lanes: &[&str], phase: &Node) {
        let lane = lanes.iter().position(|lane| *lane == phase.label).unwrap_or(0) + 1;
        let label = escape(&phase.label);
        let _ =
            writeln!(self.out, "<section class=\"phase {label}\" style=\"grid-column: {lane}\">");
        let alike = tree::alike(&phase.children);
        for (callback, times) in alike.iter().take(DRAWN_MAX) {
            self.put("<article class=\"callback\">");
            let reason = format!("{} {}", callback.why, phase.why);
            self.row(callback, reason.trim(), *times);
            self.list(&callback.children);
            self.put("</article>");
        }
        self.more(alike.iter().skip(DRAWN_MAX).map(|(_, times)| times).sum());
        self.put("</section>");
    }

    /// What is in a node. What is asked for one after another is one list.
    fn list(&mut self, nodes: &[Node]) {
        for part in nodes.chunk_by(|one, other| is_asked(one) == is_asked(other)) {
            match part {
                [one] => self.node(one, 1),
                [first, ..] if is_asked(first) => self.asks(part),
                _ => self.alike(part),
            }
        }
    }

    fn alike(&mut self, nodes: &[Node]) {
        let alike = tree::alike(nodes);
        for (node, times) in alike.iter().take(DRAWN_MAX) {
            self.node(node, *times);
        }
        self.more(alike.iter().skip(DRAWN_MAX).map(|(_, times)| times).sum());
    }

    fn asks(&mut self, nodes: &[Node]) {
        let _ = writeln!(
            self.out,
            "<details class=\"asks\"{}><summary><div class=\"row\">asks for {} \
             things</div></summary>",
            open(nodes),
            nodes.len()
        );
        self.alike(nodes);
        self.put("</details>");
    }

    fn node(&mut self, node: &Node, times: usize) {
        let kind = node.kind.name();
        if node.kind == Kind::Drain {
            let (label, open) = (escape(&node.label), open(&node.children));
            let _ = writeln!(self.out, "<details class=\"{kind} {label}\"{open}><summary>");
            self.row(node, &node.why, times);
            self.put("</summary>");
            self.list(&node.children);
            self.put("</details>");
        } else {
            let _ = writeln!(self.out, "<div class=\"{kind}\">");
            self.row(node, &node.why, times);
            self.list(&node.children);
            self.put("</div>");
        }
    }

    /// The line of a node, which tells more when it is pointed at.
    fn row(&mut self, node: &Node, reason: &str, times: usize) {
        let title = escape(&format!("{} {}", node.label, node.text));
        let label = match node.kind {
            Kind::Output | Kind::Made => String::new(),
            Kind::Call => format!("<b>{}</b>{}", escape(&node.label), frames(node)),
            _ => format!("<b>{}</b> ", escape(&node.label)),
        };
        let times = if times > 1 { format!(" × {times}") } else { String::new() };
        let text =
            if node.kind == Kind::Call { String::new() } else { escape(&node.text) } + &times;
        let place = node.place.as_ref().map(|place| escape(&self.at(place))).unwrap_or_default();
        let line = node.place.as_ref().and_then(|place| self.line_id(place));
        let line = line.map(|id| format!(" data-line=\"{id}\"")).unwrap_or_default();
        let stack = match node.stack.is_empty() {
            true => String::new(),
            false => format!(" data-stack=\"{}\"", escape(&tower(node))),
        };
        let number = self.nodes;
        self.nodes += 1;
        let _ = writeln!(
            self.out,
            "<div class=\"row\" tabindex=\"0\" data-n=\"{number}\" data-title=\"{title}\" \
             data-why=\"{}\"{line}{stack}>{label}<span>{text}</span><i>{place}</i></div>",
            escape(reason)
        );
    }

    fn more(&mut self, left: usize) {
        if left > 0 {
            let _ = writeln!(self.out, "<p>and {left} more</p>");
        }
    }

    /// A line; of which file, if there are several.
    fn at(&self, place: &Place) -> String {
        if self.files.len() == 1 { format!(":{}", place.line) } else { why::at(place) }
    }

    fn line_id(&self, place: &Place) -> Option<String> {
        self.files.get(&place.file).map(|number| format!("s{number}-{}", place.line))
    }

    fn claims(&mut self, explained: &Explained<'_>) {
        for claim in explained.header.iter().flat_map(|header| &header.claims) {
            let _ = writeln!(
                self.out,
                "<section class=\"claim\"><p><b>Claim:</b> {}</p><p><b>Fact:</b> {}</p>\
                 <p><b>Since:</b> {}</p></section>",
                escape(&claim.claim),
                escape(&claim.fact),
                escape(&claim.since)
            );
        }
        let dropped = explained.timeline.events_dropped;
        if dropped > 0 {
            let _ = writeln!(self.out, "<p>{dropped} more events came than are kept.</p>");
        }
        for told in text::walk_lacks(explained.timeline) {
            let _ = writeln!(self.out, "<p>{}</p>", escape(&told));
        }
    }

    fn sources(&mut self, explained: &Explained<'_>) {
        let named: Vec<&Place> = explained.timeline.places().collect();
        self.put("<section id=\"sources\" aria-label=\"Source\" tabindex=\"-1\">");
        for (file, source) in &explained.sources {
            let number = self.files.get(file).copied().unwrap_or(0);
            let _ = writeln!(self.out, "<h3>{}</h3><ol>", escape(file));
            let mut ran: Vec<u64> =
                named.iter().filter(|place| place.file == *file).map(|place| place.line).collect();
            ran.sort_unstable();
            for (line, text) in (1..).zip(source.lines()) {
                let class = if ran.binary_search(&line).is_ok() { " class=\"ran\"" } else { "" };
                let _ =
                    writeln!(self.out, "<li id=\"s{number}-{line}\"{class}>{}</li>", escape(text));
            }
            self.put("</ol>");
        }
        self.put("</section>");
    }
}

fn is_asked(node: &Node) -> bool {
    node.kind == Kind::Made
}

/// Whether a list is open at first, as an attribute.
fn open(nodes: &[Node]) -> &'static str {
    if tree::alike(nodes).len() <= OPEN_MAX { " open" } else { "" }
}

/// The call stack that a step leads to, a box for each frame, outermost first; behind it what the
/// step has taken away.
fn frames(node: &Node) -> String {
    let left_out = node.stack.len().saturating_sub(FRAMES_MAX);
    let mut boxes = if left_out > 0 { format!("<s>{left_out} more</s>") } else { String::new() };
    for (below, frame) in node.stack[..node.stack.len() - left_out].iter().enumerate().rev() {
        let class = if below == 0 && node.label != "pop" { " class=\"top\"" } else { "" };
        let _ = write!(boxes, "<s{class}>{}</s>", escape(tree::called(frame)));
    }
    if node.label == "pop" {
        let _ = write!(boxes, "<s class=\"gone\">{}</s>", escape(&node.text));
    }
    format!("<span class=\"frames\">{boxes}</span>")
}

/// The stack of a node, innermost on top.
fn tower(node: &Node) -> String {
    let frames = node
        .stack
        .iter()
        .map(|frame| format!("{:<24}  {}", tree::called(frame), why::at(&frame.place)));
    frames.collect::<Vec<_>>().join("\n")
}
