//! Runs a program on any [`Host`] and writes down what happens.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use loop_core::RunStatus;

use super::host::{Host, Many, Once};
use super::program::{Action, Body, Mode, Step};

/// How often a program is run again at its end, unless nothing is left before.
const LAST_RUNS: usize = 12;

/// How often a metronome strikes in one run before it stops the loop.
const STROKES: u32 = 100;

/// What a program has made so far, and what has happened.
struct World<H: Host> {
    lines: Vec<String>,
    names: usize,
    timers: Vec<H::Timer>,
    /// The timeout that is running.
    running_timeout: Option<usize>,
    immediates: Vec<H::Immediate>,
    promises: Vec<H::Promise>,
    handles: Vec<H::Handle>,
    wakers: Vec<H::Waker>,
}

/// Runs a program to its end and returns what happened, a line each. With a metronome something is
/// always due, so that no poll waits for good.
pub(crate) fn run<H: Host>(host: &mut H, program: &[Step], metronome: bool) -> Vec<String> {
    let script = Script::new();
    let strokes = Rc::new(Cell::new(0));
    if metronome {
        let strokes = strokes.clone();
        let stop_at_last = move |host: &mut H| {
            strokes.set(strokes.get() + 1);
            if strokes.get() >= STROKES {
                host.stop();
            }
        };
        let handle = host.start_timer(7, 7, Box::new(stop_at_last));
        host.ref_handle(handle, false);
    }
    for step in program {
        strokes.set(0);
        script.step(host, step);
    }
    for _ in 0..LAST_RUNS {
        strokes.set(0);
        if script.run(host, Mode::Default) == Some(RunStatus::Done) {
            break;
        }
    }
    std::mem::take(&mut script.0.borrow_mut().lines)
}

struct Script<H: Host>(Rc<RefCell<World<H>>>);

impl<H: Host> Clone for Script<H> {
    fn clone(&self) -> Self {
        Script(self.0.clone())
    }
}

impl<H: Host> Script<H> {
    fn new() -> Self {
        Script(Rc::new(RefCell::new(World {
            lines: Vec::new(),
            names: 0,
            timers: Vec::new(),
            running_timeout: None,
            immediates: Vec::new(),
            promises: Vec::new(),
            handles: Vec::new(),
            wakers: Vec::new(),
        })))
    }

    fn step(&self, host: &mut H, step: &Step) {
        match step {
            Step::HandleRejections => {
                host.on_unhandled_rejection(self.many("unhandled".to_owned(), Vec::new()));
            }
            Step::Enter(main) => host.enter(self.once("main".to_owned(), main.clone())),
            Step::Outside(body) => self.act_all(host, body),
            Step::Run(mode) => drop(self.run(host, *mode)),
            Step::PassUs(us) => host.pass_us(*us),
        }
    }

    fn run(&self, host: &mut H, mode: Mode) -> Option<RunStatus> {
        let status = host.run(mode);
        self.note(host, &format!("{mode:?} run: {status:?}"));
        status
    }

    fn note(&self, host: &H, what: &str) {
        self.0.borrow_mut().lines.push(format!("{:>3} ms {what}", host.now_ms()));
    }

    /// A name for what is made, numbered in the order of making.
    fn name(&self, what: &str) -> String {
        let mut world = self.0.borrow_mut();
        world.names += 1;
        format!("{what} {}", world.names)
    }

    fn once(&self, name: String, body: Body) -> Once<H> {
        let mut run = self.many(name, body);
        Box::new(move |host| run(host))
    }

    fn many(&self, name: String, body: Body) -> Many<H> {
        let script = self.clone();
        Box::new(move |host| {
            script.note(host, &name);
            script.act_all(host, &body);
        })
    }

    /// As `many`, and then `end` when it has run so many times.
    fn limited(
        &self,
        name: String,
        body: &Body,
        times: u32,
        end: impl Fn(&mut H) + 'static,
    ) -> Many<H> {
        let mut run = self.many(name, body.clone());
        let mut runs = 0;
        Box::new(move |host| {
            run(host);
            runs += 1;
            if runs == times {
                end(host);
            }
        })
    }

    fn act_all(&self, host: &mut H, body: &[Action]) {
        body.iter().for_each(|action| self.act(host, action));
    }

    fn act(&self, host: &mut H, action: &Action) {
        match action {
            Action::BusyUs(us) => host.busy_us(*us),
            Action::UpdateTime => host.update_time(),
            Action::Look => self.look(host),
            Action::Tick { run } => host.next_tick(self.once(self.name("tick"), run.clone())),
            Action::Microtask { run } => {
                host.queue_microtask(self.once(self.name("microtask"), run.clone()));
            }
            Action::Job { run } => host.job(self.once(self.name("job"), run.clone())),
            Action::Stop => host.stop(),
            Action::Freeze => host.freeze(),
            Action::Timeout { .. }
            | Action::Interval { .. }
            | Action::ClearTimer(_)
            | Action::RefreshTimer(_)
            | Action::RefTimer(..) => self.act_on_timer(host, action),
            Action::Immediate { .. } | Action::ClearImmediate(_) | Action::RefImmediate(..) => {
                self.act_on_immediate(host, action);
            }
            Action::Promise
            | Action::Then { .. }
            | Action::Catch { .. }
            | Action::Resolve(_)
            | Action::Reject(_)
            | Action::Follow { .. }
            | Action::All(_)
            | Action::Race(_) => self.act_on_promise(host, action),
            Action::Watch { .. } | Action::LoopTimer { .. } | Action::Waker { .. } => {
                self.make_handle(host, action);
            }
            Action::StopWatching(_)
            | Action::WatchAgain(_)
            | Action::StopTimer(_)
            | Action::TimerAgain(_)
            | Action::Wake(_)
            | Action::Close { .. }
            | Action::RefHandle(..) => self.act_on_handle(host, action),
        }
    }

    /// Writes down what can be asked.
    fn look(&self, host: &mut H) {
        let mut seen = format!("sees: alive {}", host.is_alive());
        let world = self.0.borrow();
        for handle in &world.handles {
            seen += if host.is_active(*handle) { " +" } else { " -" };
            seen += &host.due_in_ms(*handle).map_or(String::new(), |ms| ms.to_string());
        }
        for timer in &world.timers {
            seen += match host.timer_has_ref(*timer) {
                Some(true) => " r",
                Some(false) => " u",
                None => " .",
            };
        }
        drop(world);
        self.note(host, &seen);
    }

    fn act_on_timer(&self, host: &mut H, action: &Action) {
        let made = self.0.borrow().timers.len();
        let timer = |number: &usize| {
            let world = self.0.borrow();
            let number = number.checked_rem(world.timers.len())?;
            Some((number, world.timers[number]))
        };
        match action {
            Action::Timeout { ms, run } => {
                let mut run = self.many(self.name("timeout"), run.clone());
                let script = self.clone();
                let timer = host.set_timeout(
                    *ms,
                    Box::new(move |host| {
                        script.0.borrow_mut().running_timeout = Some(made);
                        run(host);
                        script.0.borrow_mut().running_timeout = None;
                    }),
                );
                self.0.borrow_mut().timers.push(timer);
            }
            Action::Interval { ms, times, run } => {
                let script = self.clone();
                let run = self.limited(self.name("interval"), run, *times, move |host| {
                    let own = script.0.borrow().timers[made];
                    host.clear_timer(own);
                });
                let timer = host.set_interval(*ms, run);
                self.0.borrow_mut().timers.push(timer);
            }
            Action::ClearTimer(number) => {
                timer(number).into_iter().for_each(|(_, timer)| host.clear_timer(timer));
            }
            Action::RefreshTimer(number) => {
                // A timeout that is running is spent; what refreshing it does is not specified.
                let running = self.0.borrow().running_timeout;
                if let Some((number, timer)) = timer(number)
                    && running != Some(number)
                {
                    host.refresh_timer(timer);
                }
            }
            Action::RefTimer(number, on) => {
                timer(number).into_iter().for_each(|(_, timer)| host.ref_timer(timer, *on));
            }
            _ => unreachable!("not about timers"),
        }
    }

    fn act_on_immediate(&self, host: &mut H, action: &Action) {
        let immediate = |number: &usize| {
            let immediates = &self.0.borrow().immediates;
            number.checked_rem(immediates.len()).map(|number| immediates[number])
        };
        match action {
            Action::Immediate { run } => {
                let mut run = self.many(self.name("immediate"), run.clone());
                let immediate = host.set_immediate(Box::new(move |host| run(host)));
                self.0.borrow_mut().immediates.push(immediate);
            }
            Action::ClearImmediate(number) => {
                immediate(number).into_iter().for_each(|one| host.clear_immediate(one));
            }
            Action::RefImmediate(number, on) => {
                immediate(number).into_iter().for_each(|one| host.ref_immediate(one, *on));
            }
            _ => unreachable!("not about immediates"),
        }
    }

    fn act_on_promise(&self, host: &mut H, action: &Action) {
        if let Action::Promise = action {
            let promise = host.promise();
            self.0.borrow_mut().promises.push(promise);
            return;
        }
        let promises = self.0.borrow().promises.clone();
        if promises.is_empty() {
            return;
        }
        let promise = |number: &usize| &promises[number % promises.len()];
        let all = |numbers: &[usize]| numbers.iter().map(promise).cloned().collect::<Vec<_>>();
        let made = match action {
            Action::Resolve(number) => return host.resolve(promise(number)),
            Action::Reject(number) => return host.reject(promise(number)),
            Action::Follow { promise: number, other } => {
                return host.follow(promise(number), promise(other));
            }
            Action::Then { promise: number, run } => {
                host.then(promise(number), self.once(self.name("then"), run.clone()))
            }
            Action::Catch { promise: number, run } => {
                host.catch(promise(number), self.once(self.name("catch"), run.clone()))
            }
            Action::All(numbers) => {
                host.all(&all(numbers), self.once(self.name("all"), Vec::new()))
            }
            Action::Race(numbers) => host.race(&all(numbers)),
            _ => unreachable!("not about promises"),
        };
        self.0.borrow_mut().promises.push(made);
    }

    fn make_handle(&self, host: &mut H, action: &Action) {
        let made = self.0.borrow().handles.len();
        let script = self.clone();
        let close = move |host: &mut H| {
            let own = script.0.borrow().handles[made];
            host.close(own, script.once(format!("closed by itself: {made}"), Vec::new()));
        };
        let handle = match action {
            Action::Watch { what, times, run } => {
                let name = self.name(&format!("{what:?}").to_lowercase());
                host.watch(*what, self.limited(name, run, *times, close))
            }
            Action::LoopTimer { ms, repeat_ms, times, run } => {
                let run = self.limited(self.name("timer"), run, *times, close);
                host.start_timer(*ms, *repeat_ms, run)
            }
            Action::Waker { times, run } => {
                let run = self.limited(self.name("waker"), run, *times, close);
                let (waker, handle) = host.waker(run);
                self.0.borrow_mut().wakers.push(waker);
                handle
            }
            _ => unreachable!("makes no handle"),
        };
        self.0.borrow_mut().handles.push(handle);
    }

    fn act_on_handle(&self, host: &mut H, action: &Action) {
        if let Action::Wake(number) = action {
            let wakers = self.0.borrow().wakers.clone();
            if let Some(number) = number.checked_rem(wakers.len()) {
                host.wake(&wakers[number]);
            }
            return;
        }
        let handles = self.0.borrow().handles.clone();
        if handles.is_empty() {
            return;
        }
        let handle = |number: &usize| handles[number % handles.len()];
        match action {
            Action::StopWatching(number) => host.stop_watching(handle(number)),
            Action::WatchAgain(number) => host.watch_again(handle(number)),
            Action::StopTimer(number) => host.stop_timer(handle(number)),
            Action::TimerAgain(number) => host.timer_again(handle(number)),
            Action::Close { handle: number, run } => {
                host.close(handle(number), self.once(self.name("closed"), run.clone()));
            }
            Action::RefHandle(number, on) => host.ref_handle(handle(number), *on),
            _ => unreachable!("not about handles"),
        }
    }
}
