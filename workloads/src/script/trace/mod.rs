//! Records what a script does on the loop, and why: a [`Timeline`] for people to read.
//!
//! ```text
//!  host: callbacks, ticks, jobs ──┐
//!  library: what is asked for,  ──┴──> Trace ──> Timeline
//!           with the stack; output
//! ```
//!
//! Cost: none where nothing is recorded, but one comparison a callback and task; else a stack for
//! everything that is asked for, and its file read once.
//!
//! **Invariant**: what is recorded doesn't change the order in which anything runs.

mod frames;
mod steps;
pub mod timeline;
pub(crate) mod walk;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loop_core::{Clock, Loop, Phase};

use frames::Stack;
use steps::Steps;
use timeline::{Callback, Drain, Event, Frame, Function, Made, Queue, Stage, Timeline, What};

/// The most bytes of one output that are kept.
const OUTPUT_BYTES_MAX: usize = 16 << 10;

/// Records a run. Clones record the same one, from any thread.
#[derive(Clone, Debug)]
pub struct Trace(Arc<Mutex<State>>);

/// What the library says when something is asked for.
pub(crate) struct Making<'a> {
    pub(crate) what: &'a str,
    pub(crate) id: u64,
    pub(crate) function: Function,
    pub(crate) asked_ms: Option<f64>,
    pub(crate) now_ms: u64,
    pub(crate) stack: &'a str,
}

#[derive(Debug)]
struct State {
    timeline: Timeline,
    clock: Clock,
    start_ns: u64,
    events_max: usize,
    phase: Stage,
    /// The drain that goes on, by its place; `None` in it where that isn't kept.
    drain: Option<(Queue, Option<usize>)>,
    /// The task that runs, by its place.
    task: Option<usize>,
    timers: HashMap<u64, usize>,
    immediates: HashMap<u64, usize>,
    /// How many timers and immediates have been made.
    numbered: u64,
    requests: HashMap<u64, usize>,
    tasks: HashMap<u64, usize>,
    /// What each timer lasts, in milliseconds.
    durations: HashMap<u64, u64>,
    /// The walk of the call stack, where there is one.
    steps: Option<Steps>,
    /// How many events are steps of it.
    stepped: usize,
}

impl Trace {
    /// Records at most so many events, and as many drains, with this clock's times; of what the
    /// program prints, twice as many. What comes behind is counted.
    pub fn new(clock: Clock, events_max: usize) -> Trace {
        let start_ns = clock.now_ns();
        Trace(Arc::new(Mutex::new(State {
            timeline: Timeline::default(),
            clock,
            start_ns,
            events_max,
            phase: Stage::Main,
            drain: None,
            task: None,
            timers: HashMap::new(),
            immediates: HashMap::new(),
            numbered: 0,
            requests: HashMap::new(),
            tasks: HashMap::new(),
            durations: HashMap::new(),
            steps: None,
            stepped: 0,
        })))
    }

    /// Walks the call stack, too: at most as many calls as there may be events.
    #[must_use]
    pub fn with_calls(self) -> Trace {
        self.state().steps = Some(Steps::default());
        self
    }

    /// Whether the call stack is walked.
    pub(crate) fn has_calls(&self) -> bool {
        self.state().steps.is_some()
    }

    /// The source of a file whose functions say when they begin.
    pub(crate) fn instrument(&self, file: &str, source: &str) -> String {
        let (text, insertions) = walk::instrument(source);
        if let Some(steps) = &mut self.state().steps {
            steps.insertions.insert(file.to_owned(), insertions);
        }
        text
    }

    /// A file can't be instrumented: it is run as it is.
    pub(crate) fn unseen(&self, file: &str) {
        let mut state = self.state();
        if let Some(steps) = &mut state.steps {
            steps.insertions.remove(file);
        }
        state.timeline.files_unseen.push(file.to_owned());
    }

    /// A stack with the columns that places have in their files.
    pub(crate) fn as_written(&self, stack: &str) -> String {
        let state = self.state();
        let Some(steps) = &state.steps else { return stack.to_owned() };
        frames::with_columns(stack, |file, line, column| {
            steps.insertions.get(file).map_or(column, |of| of.column(line, column))
        })
    }

    /// A function of the program begins, or the code of a file. Returns whether there was a place
    /// for it.
    pub(crate) fn begins(&self, stack: &str, is_top: bool) -> bool {
        let stack = frames::read(stack);
        let mut state = self.state();
        state.recognise(&stack.frames, false);
        state.begins(stack, is_top)
    }

    /// So does one for which there is no place, as there was none before.
    pub(crate) fn call_dropped(&self) {
        self.state().timeline.calls_dropped += 1;
    }

    /// The program has ended.
    pub(crate) fn ended(&self) {
        self.state().step_down_to(0);
    }

    /// What has been recorded so far.
    pub fn timeline(&self) -> Timeline {
        self.state().timeline.clone()
    }

    /// The state, when the program does something and this is its stack.
    fn at(&self, stack: &str) -> (MutexGuard<'_, State>, Stack) {
        let stack = frames::read(stack);
        let mut state = self.state();
        // What the library does of its own tells nothing of the program's stack.
        if !stack.is_cut && !stack.frames.is_empty() {
            state.walk_to(&stack.frames);
        }
        (state, stack)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the loop's turns from now on. The watcher doesn't keep the loop alive.
    pub(crate) fn count_turns(&self, lp: &mut Loop) {
        let trace = self.clone();
        let watcher = lp.prepare_start(move |lp| {
            lp.pass_over();
            let mut state = trace.state();
            state.step_down_to(0);
            state.timeline.turns += 1;
            state.drain = None;
            state.phase = Stage::Poll;
            state.add(What::Turn, Vec::new());
        });
        lp.handle_unref(watcher);
    }

    /// The loop calls the program, for what the library knows by this number.
    pub(crate) fn callback(&self, lp: &Loop, callback: Callback, slot: Option<u64>) {
        let phase = match callback {
            Callback::Main => Stage::Main,
            Callback::Timer => Stage::Timers,
            Callback::Immediate => Stage::Check,
            Callback::Event => phase_of(lp),
            Callback::BeforeExit => Stage::BeforeExit,
            Callback::Exit => Stage::Exit,
        };
        let mut state = self.state();
        state.step_down_to(0);
        state.phase = phase;
        state.drain = None;
        state.task = None;
        let made = match callback {
            Callback::Timer => &state.timers,
            Callback::Immediate => &state.immediates,
            _ => &state.requests,
        };
        let made = slot.and_then(|slot| made.get(&slot).copied());
        let id = match made.map(|made| &state.timeline.events[made].what) {
            Some(What::Made { id, .. }) => Some(*id),
            _ => None,
        };
        let loop_ms = lp.now_ms();
        state.add(What::Callback { callback, id, made, loop_ms }, Vec::new());
    }

    /// A tick or job begins.
    pub(crate) fn task(&self, queue: Queue) {
        let mut state = self.state();
        state.step_down_to(0);
        state.count(queue);
        let task = What::Task { queue, task: None, made: None, function: None };
        state.task = state.add(task, Vec::new());
    }

    /// The program is told of rejections.
    pub(crate) fn rejections(&self) {
        let mut state = self.state();
        state.step_down_to(0);
        state.drain = None;
        state.task = None;
        state.add(What::Rejections, Vec::new());
    }

    /// A timer has been started, or started again.
    pub(crate) fn timer(&self, id: u64, ms: u64) {
        self.state().durations.insert(id, ms);
    }

    /// Something is asked for for which there is no place, as there was none before.
    pub(crate) fn dropped(&self) {
        self.state().timeline.events_dropped += 1;
    }

    /// Something is asked for. Returns whether there was a place for it.
    pub(crate) fn made(&self, making: &Making<'_>) -> bool {
        let made = match making.what {
            "timeout" => Made::Timeout,
            "interval" => Made::Interval,
            "immediate" => Made::Immediate,
            "tick" => Made::Tick,
            "microtask" => Made::Microtask,
            "reaction" => Made::Reaction,
            _ => Made::Request,
        };
        let (mut state, Stack { frames: stack, via, .. }) = self.at(making.stack);
        let timed = matches!(made, Made::Timeout | Made::Interval);
        let ms = state.durations.get(&making.id).copied().filter(|_| timed);
        state.recognise(&stack, made == Made::Reaction && stack.is_empty());
        // The library uses the numbers of timers and immediates again; these here are told apart.
        let is_numbered = timed || made == Made::Immediate;
        state.numbered += u64::from(is_numbered);
        let id = if is_numbered { state.numbered } else { making.id };
        let event = What::Made {
            made,
            id,
            function: making.function.clone(),
            via,
            asked_ms: making.asked_ms.filter(|_| timed),
            ms,
            due_ms: ms.map(|ms| making.now_ms + ms.max(1)),
        };
        let Some(at) = state.add(event, stack) else { return false };
        let index = match made {
            Made::Timeout | Made::Interval => &mut state.timers,
            Made::Immediate => &mut state.immediates,
            Made::Tick | Made::Microtask | Made::Reaction => &mut state.tasks,
            Made::Request => &mut state.requests,
        };
        index.insert(making.id, at);
        true
    }

    /// The task that runs is this one.
    pub(crate) fn runs(&self, id: u64, runs: Function) {
        let mut state = self.state();
        let asked = state.tasks.get(&id).copied();
        let Some(at) = state.task.take() else { return };
        let kind = match asked.map(|asked| &state.timeline.events[asked].what) {
            Some(What::Made { made, .. }) => Some(*made),
            _ => None,
        };
        if let What::Task { task, made, function, .. } = &mut state.timeline.events[at].what {
            *task = kind;
            *made = asked;
            *function = Some(runs);
        }
    }

    /// The program prints.
    pub(crate) fn output(&self, stderr: bool, bytes: &[u8], stack: &str) {
        let kept = &bytes[..bytes.len().min(OUTPUT_BYTES_MAX)];
        let text = String::from_utf8_lossy(kept).into_owned();
        let (mut state, Stack { frames: stack, .. }) = self.at(stack);
        state.recognise(&stack, false);
        state.add(What::Output { stderr, text }, stack);
    }

    /// An error that nobody has caught.
    pub(crate) fn uncaught(&self, message: &str, stack: &str) {
        let stack = frames::read(stack).frames;
        self.state().add(What::Uncaught { message: message.to_owned() }, stack);
    }
}

impl State {
    fn add(&mut self, what: What, stack: Vec<Frame>) -> Option<usize> {
        let at = self.timeline.events.len();
        // What the program says and how it fails is kept longest.
        let says = matches!(what, What::Output { .. } | What::Uncaught { .. });
        if at - self.stepped >= self.events_max * (1 + usize::from(says)) {
            self.timeline.events_dropped += 1;
            return None;
        }
        self.push(what, stack);
        Some(at)
    }

    /// A step of the call stack, which takes the place of nothing else.
    fn add_step(&mut self, what: What, stack: Vec<Frame>) {
        self.stepped += 1;
        self.push(what, stack);
    }

    fn push(&mut self, what: What, stack: Vec<Frame>) {
        let at_ns = self.clock.now_ns().saturating_sub(self.start_ns);
        let (turn, phase) = (self.timeline.turns, self.phase);
        self.timeline.events.push(Event { turn, phase, at_ns, what, stack });
    }

    /// One more of a drain: of a new one, where another queue was drained before.
    fn count(&mut self, queue: Queue) {
        match self.drain {
            Some((now, at)) if now == queue => {
                if let Some(at) = at {
                    self.timeline.drains[at].length += 1;
                }
            }
            _ => {
                let at = self.timeline.drains.len();
                let (turn, phase) = (self.timeline.turns, self.phase);
                let kept = (at < self.events_max).then_some(at);
                match kept {
                    Some(_) => self.timeline.drains.push(Drain { turn, phase, queue, length: 1 }),
                    None => self.timeline.drains_dropped += 1,
                }
                self.drain = Some((queue, kept));
                self.add(What::Drain { drain: kept, queue }, Vec::new());
            }
        }
    }

    /// A job that has not said what it is shows itself by what it does: its outermost frame is the
    /// function that goes on in it. One that begins with a reaction and no frame takes on a
    /// promise.
    fn recognise(&mut self, stack: &[Frame], takes_on: bool) {
        let Some(at) = self.task else { return };
        let What::Task { queue: Queue::Microtask, function, .. } =
            &mut self.timeline.events[at].what
        else {
            return;
        };
        if let Some(outermost) = stack.last() {
            let place = Some(outermost.place.clone());
            *function = Some(Function { name: outermost.name.clone(), place });
            self.task = None;
        } else if takes_on {
            self.task = None;
        }
    }
}

/// The phase in which the loop tells of requests and handles.
fn phase_of(lp: &Loop) -> Stage {
    let now = lp.reader().snapshot();
    match now.open.and_then(|turn| turn.phase) {
        Some(Phase::Pending) => Stage::Pending,
        Some(Phase::Close) => Stage::Close,
        Some(Phase::Timers) => Stage::Timers,
        _ => Stage::Poll,
    }
}
