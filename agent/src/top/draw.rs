//! The picture on a terminal.

use loop_core::snapshot::LedgerKey;
use loop_core::units::{format_count, format_ns};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row as Cells, Table, Wrap};

use super::{Top, culprit, who};
use crate::now::{Listed, Now, Row};
use crate::terminal::printable;

/// Cells of a ledger's bar.
const BAR: usize = 12;

const KEYS: &str = "q quit  ↑↓ choose  Enter stack  / filter  p pause";

const HEADS: [&str; 10] = [
    "process", "pid", "thread", "now", "busy", "turns/s", "turn p99", "drain", "stalls", "held up",
];

/// Draws all of it. `colour`: whether it may be coloured.
pub fn draw(top: &Top, colour: bool, frame: &mut Frame<'_>) {
    let Some(now) = &top.now else { return };
    let held: Vec<&Row> = top.rows().into_iter().filter(|row| row.held_up).collect();
    let held_lines = u16::try_from(held.len().min(3)).unwrap_or(3);
    let [head, running, loops, stalls, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(held_lines),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let ink = Ink(colour);
    frame.render_widget(Paragraph::new(header(top, now)), head);
    frame.render_widget(Paragraph::new(running_lines(&held, now, ink)), running);
    table(top, ink, frame, loops);
    list(top, ink, frame, stalls);
    frame.render_widget(Paragraph::new(footer(top, ink)), foot);
}

/// The colours, or none.
#[derive(Clone, Copy)]
struct Ink(bool);

impl Ink {
    fn of(self, colour: Color) -> Style {
        if self.0 { Style::new().fg(colour) } else { Style::new() }
    }

    fn bad(self) -> Style {
        self.of(Color::Red).add_modifier(Modifier::BOLD)
    }

    fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }
}

fn header(top: &Top, now: &Now) -> Line<'static> {
    let paused = if top.is_paused { ", paused" } else { "" };
    let text = format!(
        " {} processes, {} loops, observed for {}{paused}",
        now.targets,
        now.loops_count,
        format_ns(now.wall_ns)
    );
    Line::from(vec![
        Span::styled("loopscope", Style::new().add_modifier(Modifier::BOLD)),
        Span::raw(text),
    ])
}

fn running_lines(held: &[&Row], now: &Now, ink: Ink) -> Vec<Line<'static>> {
    let line = |row: &&Row| {
        let same = |of: &&Listed| of.running && (of.pid, &of.thread) == (row.pid, &row.thread);
        let blamed = now.stalls.iter().find(same).map(culprit).unwrap_or_default();
        let who = printable(&who(&row.target, &row.thread));
        Line::from(vec![
            Span::styled(format!("▌{:>9} ", format_ns(row.current_turn_ns)), ink.bad()),
            Span::raw(format!("in one turn: {who} ({})  {}", row.pid, printable(&blamed))),
        ])
    };
    held.iter().map(line).collect()
}

fn table(top: &Top, ink: Ink, frame: &mut Frame<'_>, area: Rect) {
    let rows = top.rows();
    let chosen = top.position(&rows);
    let widths = [20, 8, 10, 10, 7, 9, 10, 10, 7, 10].map(Constraint::Min);
    let shown = rows.iter().enumerate().map(|(at, row)| {
        let style = match (row.held_up, chosen == Some(at)) {
            (_, true) => Style::new().add_modifier(Modifier::REVERSED),
            (true, _) => ink.of(Color::Red),
            _ if row.ended => ink.faint(),
            _ => Style::new(),
        };
        Cells::new(cells(top, row).map(Cell::from)).style(style)
    });
    let head = Cells::new(HEADS).style(Style::new().add_modifier(Modifier::BOLD));
    // As many before the chosen one as are needed to see it.
    let room = usize::from(area.height).saturating_sub(2);
    let skipped = chosen.map_or(0, |at| (at + 1).saturating_sub(room));
    let table = Table::new(shown.skip(skipped), widths).header(head);
    frame.render_widget(table.block(Block::new().borders(Borders::TOP)), area);
}

fn cells(top: &Top, row: &Row) -> [String; 10] {
    let time = |ns: Option<u64>| ns.map_or_else(|| "-".to_owned(), format_ns);
    let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), format_count);
    let now = match row.current_turn_ns {
        _ if row.ended => "ended".to_owned(),
        0 => "waits".to_owned(),
        ns if row.held_up => format_ns(ns),
        _ => "runs".to_owned(),
    };
    let per_s = top.turns_per_s(row);
    [
        printable(&who(&row.target, "main")),
        row.pid.to_string(),
        row.thread.clone(),
        now,
        row.utilization.map_or_else(|| "-".to_owned(), |of| format!("{:.1} %", of * 100.0)),
        per_s.map_or_else(|| "-".to_owned(), |of| format!("{of:.0}")),
        time(row.turn_p99_ns),
        count(row.drain_max),
        format_count(row.stalls),
        time(Some(row.stalled_ns).filter(|&ns| ns > 0)),
    ]
}

fn list(top: &Top, ink: Ink, frame: &mut Frame<'_>, area: Rect) {
    let stalls = top.stalls();
    let mut lines = Vec::new();
    for of in &stalls {
        lines.push(stall_line(of, ink));
        if top.is_open && lines.len() == 1 {
            let frames = of.stack.iter().map(|frame| format!("            {}", printable(frame)));
            lines.extend(frames.map(|frame| Line::styled(frame, ink.faint())));
        }
    }
    if stalls.is_empty() {
        lines.push(Line::styled("none so far", ink.faint()));
    }
    let title = match &top.chosen {
        Some((pid, thread)) => format!(" newest stalls of {pid} {thread} "),
        None => " newest stalls ".to_owned(),
    };
    let block = Block::new().borders(Borders::TOP).title(title);
    frame.render_widget(Paragraph::new(lines).block(block).wrap(Wrap { trim: false }), area);
}

fn stall_line(of: &Listed, ink: Ink) -> Line<'static> {
    let lasted = format!("{:>9} ", format_ns(of.duration_ns));
    let style = if of.running { ink.bad() } else { Style::new() };
    let mut spans = vec![Span::styled(lasted, style)];
    spans.extend(bar(of, ink));
    let who = printable(&who(&of.target, &of.thread));
    spans.push(Span::raw(format!(" {:<10} {who} ({})  ", of.cause, of.pid)));
    spans.push(Span::styled(printable(&culprit(of)), ink.faint()));
    Line::from(spans)
}

/// The ledger: a letter for each key where there are no colours.
fn bar(of: &Listed, ink: Ink) -> Vec<Span<'static>> {
    let total_ns = of.ledger_ns.total_ns().max(1);
    let mut spans = Vec::new();
    let (mut drawn, mut so_far_ns) = (0, 0);
    for key in LedgerKey::ALL {
        so_far_ns += of.ledger_ns.get(key).unwrap_or(0);
        let upto = (u128::from(so_far_ns) * BAR as u128 / u128::from(total_ns)) as usize;
        let cells = upto.min(BAR) - drawn;
        drawn += cells;
        let letter = if ink.0 { "█" } else { &key.name()[..1] };
        spans.push(Span::styled(letter.repeat(cells), ink.of(colour(key))));
    }
    spans.push(Span::raw(" ".repeat(BAR - drawn)));
    spans
}

fn colour(key: LedgerKey) -> Color {
    match key {
        LedgerKey::Frozen | LedgerKey::Unknown => Color::DarkGray,
        LedgerKey::Throttled | LedgerKey::RunQueue => Color::Yellow,
        LedgerKey::SyncIo | LedgerKey::LockWait => Color::Cyan,
        LedgerKey::Gc => Color::LightRed,
        LedgerKey::Microtasks | LedgerKey::Ticks => Color::Magenta,
        LedgerKey::Native => Color::Green,
        LedgerKey::Javascript => Color::Blue,
    }
}

fn footer(top: &Top, ink: Ink) -> Line<'static> {
    match (top.is_writing, top.filter.is_empty()) {
        (true, _) => Line::raw(format!("/{}▏", printable(&top.filter))),
        (false, false) => Line::styled(
            format!("{KEYS}  Esc all (filter: {})", printable(&top.filter)),
            ink.faint(),
        ),
        (false, true) => Line::styled(KEYS, ink.faint()),
    }
}
