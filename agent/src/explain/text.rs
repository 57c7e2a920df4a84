//! The timeline as text: a tree, the source line of each thing to the right of it.

use std::fmt::Write;

use loopscope_workloads::timeline::{Frame, Timeline};

use super::tree::{self, Kind, Node};
use super::{Explained, why};
use crate::layout::wrap;
use crate::terminal::{Ink, Terminal, printable};

/// The most things of one kind that are listed one after another.
const LISTED_MAX: usize = 40;

/// From this column on the call stack stands beside its steps.
const CALL_COLUMNS: usize = 36;

/// Columns of the labels.
const LABEL_COLUMNS: usize = 10;

/// The timeline for people.
pub fn text(explained: &Explained<'_>, terminal: &Terminal) -> String {
    let mut page = Page { explained, terminal, out: String::new() };
    page.head();
    for turn in tree::grow(explained) {
        if turn.children.iter().any(Node::has_content) {
            page.turn(&turn);
        }
    }
    page.foot();
    page.out
}

struct Page<'a> {
    explained: &'a Explained<'a>,
    terminal: &'a Terminal,
    out: String,
}

impl Page<'_> {
    fn head(&mut self) {
        let Explained { name, header, .. } = self.explained;
        let name = self.terminal.paint(Ink::Strong, &printable(name));
        self.line(&format!("{name}: {}", about(self.explained)));
        if let Some(header) = header {
            self.paragraph(0, &header.title);
        }
    }

    fn turn(&mut self, turn: &Node) {
        let label = self.terminal.paint(Ink::Strong, &turn.label);
        let at = milliseconds(turn.at_ns);
        self.line("");
        self.line(&format!("{label}  {}", self.terminal.paint(Ink::Faint, &format!("at {at}"))));
        for phase in turn.children.iter().filter(|phase| phase.has_content()) {
            let label = self.terminal.paint(Ink::Strong, &phase.label);
            self.line(&format!("  {label}"));
            self.paragraph(4, &phase.why);
            self.nodes(&phase.children, 4);
        }
    }

    /// Nodes one below the other; what is the same again and again is told once.
    fn nodes(&mut self, nodes: &[Node], indent: usize) {
        let alike = tree::alike(nodes);
        for (node, times) in alike.iter().take(LISTED_MAX) {
            self.node(node, indent, *times);
        }
        let left: usize = alike.iter().skip(LISTED_MAX).map(|(_, times)| times).sum();
        if left > 0 {
            let blank = " ".repeat(indent);
            self.line(&format!("{blank}and {left} more; --report json has them all"));
        }
    }

    fn node(&mut self, node: &Node, indent: usize, times: usize) {
        let blank = " ".repeat(indent);
        let times = if times > 1 { format!(" × {times}") } else { String::new() };
        let mut lines = node.text.lines();
        let first = printable(lines.next().unwrap_or_default());
        let label = format!("{:<LABEL_COLUMNS$}", node.label);
        let place = node.place.as_ref().map(why::at).unwrap_or_default();
        let mut plain = format!("{blank}{label}  {first}{times}").trim_end().to_owned();
        if node.kind == Kind::Call {
            plain = format!("{plain:<CALL_COLUMNS$}  ");
            let room = self.terminal.width.saturating_sub(plain.chars().count() + place.len() + 2);
            plain += &printable(&cells(&node.stack, room));
        }
        let columns = plain.chars().count() + place.chars().count();
        let gap = self.terminal.width.saturating_sub(columns).max(2);
        let ink = match node.kind {
            Kind::Error => Some(Ink::Bad),
            Kind::Output => Some(Ink::Good),
            Kind::Made | Kind::Call => Some(Ink::Faint),
            _ => None,
        };
        let painted = ink.map_or_else(|| plain.clone(), |ink| self.terminal.paint(ink, &plain));
        let place = self.terminal.paint(Ink::Faint, &printable(&place));
        let gap = if place.is_empty() { String::new() } else { " ".repeat(gap) };
        self.line(&format!("{painted}{gap}{place}"));
        for more in lines {
            self.line(&format!("{blank}{:LABEL_COLUMNS$}  {}", "", printable(more)));
        }
        if matches!(node.kind, Kind::Callback | Kind::Drain) {
            self.paragraph(indent + 2, &node.why);
        }
        self.nodes(&node.children, indent + 2);
    }

    fn foot(&mut self) {
        let timeline = self.explained.timeline;
        let dropped = timeline.events_dropped;
        if dropped > 0 {
            self.line("");
            self.paragraph(0, &format!(
                "{} more came than are kept and are left out here; --max-events raises the limit.",
                count(dropped, "event")
            ));
        }
        for told in walk_lacks(timeline) {
            self.line("");
            self.paragraph(0, &told);
        }
        let Some(header) = &self.explained.header else { return };
        for claim in &header.claims {
            self.line("");
            let paragraphs =
                [("claim", &claim.claim), ("fact", &claim.fact), ("since", &claim.since)];
            for (label, text) in paragraphs {
                let room = self.terminal.width.saturating_sub(8).max(20);
                for (at, line) in wrap(&printable(text), room).iter().enumerate() {
                    let label = if at == 0 { label } else { "" };
                    self.line(&format!("{label:<6}  {line}"));
                }
            }
        }
    }

    fn paragraph(&mut self, indent: usize, text: &str) {
        if text.is_empty() {
            return;
        }
        let room = self.terminal.width.saturating_sub(indent).max(20);
        for line in wrap(&printable(text), room) {
            let line = format!("{}{line}", " ".repeat(indent));
            self.line(&self.terminal.paint(Ink::Faint, &line));
        }
    }

    fn line(&mut self, line: &str) {
        // A string takes all that is written.
        let _ = writeln!(self.out, "{}", line.trim_end());
    }
}

/// The call stack: outermost first, the innermost as many as there is room for.
fn cells(stack: &[Frame], room: usize) -> String {
    let Some(innermost) = stack.first() else { return "(empty)".to_owned() };
    let mut cells = format!("│ {}", tree::called(innermost));
    for (shown, frame) in (1..).zip(&stack[1..]) {
        let longer = format!("│ {} {cells}", tree::called(frame));
        if longer.chars().count() > room {
            return format!("{} more {cells}", stack.len() - shown);
        }
        cells = longer;
    }
    cells
}

/// What the walk of the call stack does not show.
pub(super) fn walk_lacks(timeline: &Timeline) -> Vec<String> {
    let mut told = Vec::new();
    if timeline.calls_dropped > 0 {
        told.push(format!(
            "{} more came than are kept, or were deeper than 60, and are left out of the call \
             stack; --max-events raises the limit.",
            count(timeline.calls_dropped, "call")
        ));
    }
    for file in &timeline.files_unseen {
        told.push(format!("The walk of the call stack does not see into {file}."));
    }
    told
}

/// The run in a few words.
pub(super) fn about(explained: &Explained<'_>) -> String {
    let Explained { timeline, status, virtual_clock, .. } = explained;
    let clock = if *virtual_clock { "virtual clock" } else { "real clock" };
    let end = match status {
        Some(status) => format!("exit status {status}"),
        None => "cut short".to_owned(),
    };
    format!("{}, {clock}, {end}", count(timeline.turns, "turn"))
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

pub(super) fn milliseconds(ns: u64) -> String {
    format!("{:.3} ms", ns as f64 / 1e6)
}
