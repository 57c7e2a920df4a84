//! The timeline as a tree: turns, in these phases, in these callbacks, in these drains, in these
//! tasks. Text and picture are both drawn from it.
//!
//! **Invariant**: each event of the timeline is one node, but what begins a turn, and what the
//! library asks for of its own.

use loopscope_workloads::timeline::{
    Callback, Event, Frame, Function, Made, Place, Queue, Stage, What,
};

use super::{Explained, why};

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    /// What kind it is: decides its looks.
    pub(super) kind: Kind,
    /// What it is, in a word or two.
    pub(super) label: String,
    /// More about it.
    pub(super) text: String,
    /// Why it is there.
    pub(super) why: String,
    /// Where in the source.
    pub(super) place: Option<Place>,
    /// The stack then, innermost first.
    pub(super) stack: Vec<Frame>,
    /// When, in nanoseconds since the start.
    pub(super) at_ns: u64,
    /// What is in it.
    pub(super) children: Vec<Node>,
}

impl Node {
    /// Whether there is something to see in a phase: the end of a program that nobody handles is
    /// nothing.
    pub(super) fn has_content(&self) -> bool {
        let is_end = matches!(self.label.as_str(), "beforeExit" | "exit");
        !is_end || self.children.iter().any(|callback| !callback.children.is_empty())
    }
}

/// Kinds of nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Turn,
    Phase,
    Callback,
    Drain,
    Task,
    Call,
    Made,
    Output,
    Error,
}

impl Kind {
    /// As classes of a page are called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Turn => "turn",
            Kind::Phase => "phase",
            Kind::Callback => "callback",
            Kind::Drain => "drain",
            Kind::Task => "task",
            Kind::Call => "call",
            Kind::Made => "made",
            Kind::Output => "output",
            Kind::Error => "error",
        }
    }
}

/// The turns, in order.
pub(super) fn grow(explained: &Explained<'_>) -> Vec<Node> {
    let mut tree = Tree { explained, turns: Vec::new(), path: Vec::new(), stack: Vec::new() };
    for (at, event) in explained.timeline.events.iter().enumerate() {
        tree.add(at, event);
    }
    tree.turns
}

/// The tree as far as it has grown.
struct Tree<'a> {
    explained: &'a Explained<'a>,
    turns: Vec<Node>,
    /// The kinds of the nodes that are open, outermost first: each is the last of its parent.
    path: Vec<Kind>,
    /// The call stack where it is walked, outermost first.
    stack: Vec<Frame>,
}

impl Tree<'_> {
    fn add(&mut self, at: usize, event: &Event) {
        if self.path.is_empty() || matches!(event.what, What::Turn) {
            self.open_turn(event);
        }
        let mut node = node(self.explained, at, event);
        match &event.what {
            What::Turn => {}
            What::Callback { .. } => {
                self.open_phase(at, event);
                self.open(Kind::Phase, node);
            }
            What::Drain { .. } => self.open(Kind::Callback, node),
            What::Task { .. } => self.open(Kind::Drain, node),
            What::Rejections => {
                self.close_to(Kind::Callback);
                self.push(node);
            }
            // What the library asks for of its own is not of interest.
            What::Made { .. } if event.stack.is_empty() => {}
            What::Begins { .. } => {
                self.stack.extend(event.stack.first().cloned());
                self.push_step(node);
            }
            What::Ends => {
                self.stack.pop();
                self.push_step(node);
            }
            _ => {
                node.stack.clone_from(&event.stack);
                self.push(node);
            }
        }
    }

    fn open_turn(&mut self, event: &Event) {
        let label = match event.turn {
            0 => "before the loop".to_owned(),
            turn => format!("turn {turn}"),
        };
        let node = Node { kind: Kind::Turn, label, at_ns: event.at_ns, ..Node::default() };
        self.turns.push(node);
        self.path = vec![Kind::Turn];
    }

    /// The callbacks of one phase stand in one node.
    fn open_phase(&mut self, at: usize, event: &Event) {
        let label = phase_name(event.phase).to_owned();
        self.close_to(Kind::Phase);
        let is_open = self.path.last() == Some(&Kind::Phase)
            && self.last().is_some_and(|open| open.label == label);
        if !is_open {
            let why = why::phase(self.explained, at, event);
            let node =
                Node { kind: Kind::Phase, label, why, at_ns: event.at_ns, ..Node::default() };
            self.open(Kind::Turn, node);
        }
    }

    /// Puts a node into the innermost open one of this kind or of one that holds it, and opens it.
    fn open(&mut self, parent: Kind, node: Node) {
        self.close_to(parent);
        let kind = node.kind;
        self.push(node);
        self.path.push(kind);
    }

    /// Closes what stands below this kind.
    fn close_to(&mut self, kind: Kind) {
        while self.path.len() > 1 && self.path.last().is_some_and(|open| depth(*open) > depth(kind))
        {
            self.path.pop();
        }
    }

    /// A step of the walk, with the stack that it leads to.
    fn push_step(&mut self, mut node: Node) {
        node.stack = self.stack.iter().rev().cloned().collect();
        self.push(node);
    }

    fn push(&mut self, node: Node) {
        if let Some(parent) = self.last() {
            parent.children.push(node);
        }
    }

    /// The innermost node that is open.
    fn last(&mut self) -> Option<&mut Node> {
        let depth = self.path.len();
        let mut node = self.turns.last_mut()?;
        for _ in 1..depth {
            node = node.children.last_mut()?;
        }
        Some(node)
    }
}

fn depth(kind: Kind) -> u8 {
    match kind {
        Kind::Turn => 0,
        Kind::Phase => 1,
        Kind::Callback => 2,
        Kind::Drain => 3,
        Kind::Task => 4,
        Kind::Call | Kind::Made | Kind::Output | Kind::Error => 5,
    }
}

fn node(explained: &Explained<'_>, at: usize, event: &Event) -> Node {
    let place = event.stack.first().map(|frame| frame.place.clone());
    let base = Node { place, at_ns: event.at_ns, ..Node::default() };
    match &event.what {
        What::Turn => base,
        What::Callback { .. } => callback(explained, at, event, base),
        What::Drain { drain, queue } => {
            let length = drain.and_then(|at| explained.timeline.drains.get(at)).map(|d| d.length);
            Node {
                kind: Kind::Drain,
                label: match queue {
                    Queue::NextTick => "ticks".to_owned(),
                    Queue::Microtask => "microtasks".to_owned(),
                },
                text: length.map(|length| length.to_string()).unwrap_or_default(),
                why: why::drain(explained, at, *queue),
                ..base
            }
        }
        What::Task { task, made, function, queue } => Node {
            kind: Kind::Task,
            label: task_name(*task, *queue, function.as_ref()).to_owned(),
            text: name(function.as_ref()),
            place: function.as_ref().and_then(|function| function.place.clone()),
            why: why::task(explained, *task, *made, *queue),
            ..base
        },
        What::Begins { goes_on } => {
            said(Kind::Call, if *goes_on { "goes on" } else { "push" }, frame_name(event), base)
        }
        What::Ends => {
            let base = Node { place: None, ..base };
            said(Kind::Call, "pop", frame_name(event), base)
        }
        What::Made { .. } => said(Kind::Made, "asks", &why::asked(&event.what), base),
        What::Output { stderr, text } => {
            let label = if *stderr { "stderr" } else { "prints" };
            said(Kind::Output, label, text.strip_suffix('\n').unwrap_or(text), base)
        }
        What::Rejections => {
            let told = "the program is told of promises that nobody handles";
            let why =
                "Rejections are told when both queues are empty: until then a handler may come.";
            Node { why: why.to_owned(), ..said(Kind::Error, "rejections", told, base) }
        }
        What::Uncaught { message } => said(Kind::Error, "uncaught", message, base),
    }
}

fn frame_name(event: &Event) -> &str {
    event.stack.first().map_or("", called)
}

/// How a frame is called.
pub(super) fn called(frame: &Frame) -> &str {
    if frame.name.is_empty() { "(anonymous)" } else { &frame.name }
}

/// The name of a function of the program; the library's own have none here.
fn name(function: Option<&Function>) -> String {
    let own = function.filter(|function| function.place.is_some());
    own.map(|function| function.name.clone()).unwrap_or_default()
}

fn said(kind: Kind, label: &str, text: &str, base: Node) -> Node {
    Node { kind, label: label.to_owned(), text: text.to_owned(), ..base }
}

fn callback(explained: &Explained<'_>, at: usize, event: &Event, base: Node) -> Node {
    let What::Callback { callback, id, made, .. } = &event.what else { return base };
    let asked = made.and_then(|made| explained.timeline.events.get(made));
    let function = asked.and_then(|asked| match &asked.what {
        // What the library itself has asked for has a function that is the library's.
        What::Made { function, .. } if !asked.stack.is_empty() => Some(function),
        _ => None,
    });
    Node {
        kind: Kind::Callback,
        label: callback_name(explained, *callback, *id, asked),
        text: name(function),
        place: function
            .and_then(|function| function.place.clone())
            .or_else(|| asked?.stack.first().map(|frame| frame.place.clone())),
        why: why::callback(explained, at, event),
        ..base
    }
}

fn callback_name(
    explained: &Explained<'_>,
    callback: Callback,
    id: Option<u64>,
    asked: Option<&Event>,
) -> String {
    let number = id.map(|id| format!(" #{id}")).unwrap_or_default();
    let kind = match asked.map(|asked| &asked.what) {
        Some(What::Made { made, .. }) => Some(*made),
        _ => None,
    };
    match (callback, kind) {
        (Callback::Main, _) if why::is_module(explained) => "module".to_owned(),
        (Callback::Main, _) => "script".to_owned(),
        (Callback::Timer, Some(Made::Interval)) => format!("interval{number}"),
        (Callback::Timer, _) => format!("timeout{number}"),
        (Callback::Immediate, _) => format!("immediate{number}"),
        (Callback::Event, _) => match asked.map(|asked| &asked.what) {
            Some(What::Made { via: Some(via), .. }) => via.clone(),
            _ => format!("event{number}"),
        },
        (Callback::BeforeExit, _) => "beforeExit".to_owned(),
        (Callback::Exit, _) => "exit".to_owned(),
    }
}

fn task_name(task: Option<Made>, queue: Queue, function: Option<&Function>) -> &'static str {
    match (task, queue) {
        (_, Queue::NextTick) => "tick",
        (Some(Made::Microtask), _) => "microtask",
        (Some(Made::Reaction), _) => "reaction",
        (_, _) if function.is_some() => "goes on",
        (_, _) => "job",
    }
}

/// Nodes that follow each other and are alike, each with how many they are.
pub(super) fn alike(nodes: &[Node]) -> Vec<(&Node, usize)> {
    let chunks = nodes.chunk_by(is_same);
    chunks.filter_map(|chunk| Some((chunk.first()?, chunk.len()))).collect()
}

/// Whether a reader would see no difference.
fn is_same(one: &Node, other: &Node) -> bool {
    let numberless = |text: &str| {
        text.split(' ').filter(|word| !word.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    one.kind == other.kind
        && one.place == other.place
        && one.stack == other.stack
        && numberless(&one.label) == numberless(&other.label)
        && numberless(&one.text) == numberless(&other.text)
        && one.children.len() == other.children.len()
        && one.children.iter().zip(&other.children).all(|(one, other)| is_same(one, other))
}

/// What a phase is called.
pub(super) fn phase_name(phase: Stage) -> &'static str {
    match phase {
        Stage::Main => "main",
        Stage::Timers => "timers",
        Stage::Pending => "pending",
        Stage::Poll => "poll",
        Stage::Check => "check",
        Stage::Close => "close",
        Stage::BeforeExit => "beforeExit",
        Stage::Exit => "exit",
    }
}
