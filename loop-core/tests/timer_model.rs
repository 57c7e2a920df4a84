//! Timers against a model that is simple enough to be seen to be right: Node's own algorithm, with
//! lists as vectors and the queue as a search for the smallest.
//!
//! A script of actions runs on both. Timers run scripts of the same kind, so timers are set,
//! cleared, refreshed and unreferenced from within timers and from within the ticks behind them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use loop_core::{Clock, Loop, Options, RunMode, RunStatus, TimerId};
use proptest::prelude::*;

/// Actions in all, so that scripts that start each other end.
const ACTIONS_MAX: u32 = 400;

/// How often an interval runs before it clears itself.
const INTERVAL_RUNS: u32 = 4;

#[derive(Clone, Debug)]
enum Action {
    /// Sets a timer that runs a script. An interval clears itself in the end.
    Set {
        ms: u64,
        script: usize,
        repeats: bool,
    },
    /// Sets many timers that do nothing.
    SetMany {
        ms: u64,
        count: usize,
    },
    Clear {
        timer: usize,
    },
    /// Clears every timer in a range but each `but`th.
    ClearMany {
        from: usize,
        count: usize,
        but: usize,
    },
    Refresh {
        timer: usize,
    },
    /// Refreshes two timers in turn.
    RefreshMany {
        timer: usize,
        other: usize,
        times: usize,
    },
    SetRef {
        timer: usize,
        referenced: bool,
    },
    HasRef {
        timer: usize,
    },
    Busy {
        ms: u64,
    },
    /// Runs a script as a tick.
    Tick {
        script: usize,
    },
}

type Scripts = Vec<Vec<Action>>;

/// What an implementation of timers can be told. Timers are named in the order they were set.
trait Timers {
    fn set(&mut self, ms: u64, script: Option<usize>, repeats: bool);
    fn clear(&mut self, timer: usize);
    fn refresh(&mut self, timer: usize);
    fn set_ref(&mut self, timer: usize, referenced: bool);
    fn has_ref(&mut self, timer: usize) -> Option<bool>;
    fn busy(&mut self, ms: u64);
    fn tick(&mut self, script: usize);
    fn now_ms(&mut self) -> u64;
    fn world(&mut self) -> &mut World;
}

/// What a run has done so far.
#[derive(Debug, Default)]
struct World {
    scripts: Rc<Scripts>,
    actions: u32,
    timers: usize,
    log: Vec<(usize, u64)>,
    refs: Vec<Option<bool>>,
}

fn run_script(on: &mut impl Timers, script: usize) {
    let scripts = on.world().scripts.clone();
    for action in &scripts[script % scripts.len()] {
        on.world().actions += 1;
        if on.world().actions > ACTIONS_MAX {
            return;
        }
        act(on, action);
    }
}

fn act(on: &mut impl Timers, action: &Action) {
    // Any timer that was ever set, gone or not.
    let all = on.world().timers;
    let pick = |timer: usize| timer.checked_rem(all);
    match *action {
        Action::Set { ms, script, repeats } => on.set(ms, Some(script), repeats),
        Action::SetMany { ms, count } => (0..count).for_each(|_| on.set(ms, None, false)),
        Action::Clear { timer } => pick(timer).into_iter().for_each(|timer| on.clear(timer)),
        Action::ClearMany { from, count, but } => {
            let range = pick(from).map_or(0..0, |from| from..all.min(from + count));
            range.filter(|timer| timer % but != 0).for_each(|timer| on.clear(timer));
        }
        Action::Refresh { timer } => pick(timer).into_iter().for_each(|timer| on.refresh(timer)),
        Action::RefreshMany { timer, other, times } => {
            let Some((timer, other)) = pick(timer).zip(pick(other)) else { return };
            for _ in 0..times {
                on.refresh(timer);
                on.refresh(other);
            }
        }
        Action::SetRef { timer, referenced } => {
            pick(timer).into_iter().for_each(|timer| on.set_ref(timer, referenced));
        }
        Action::HasRef { timer } => {
            let has_ref = pick(timer).and_then(|timer| on.has_ref(timer));
            on.world().refs.push(has_ref);
        }
        Action::Busy { ms } => on.busy(ms),
        Action::Tick { script } => on.tick(script),
    }
}

/// What every timer does when it runs. Returns whether it goes on.
fn run_timer(on: &mut impl Timers, timer: usize, script: Option<usize>, run: u32) {
    let now_ms = on.now_ms();
    on.world().log.push((timer, now_ms));
    if let Some(script) = script {
        run_script(on, script);
    }
    if run == INTERVAL_RUNS {
        on.clear(timer);
    }
}

/// The loop, with what the scripts need.
struct Real<'a> {
    lp: &'a mut Loop,
    shared: Rc<RefCell<Shared>>,
    world: World,
}

#[derive(Default)]
struct Shared {
    ids: Vec<TimerId>,
    world: World,
}

/// Lends the world to what runs on the loop now.
fn real(lp: &mut Loop, shared: &Rc<RefCell<Shared>>, run: impl FnOnce(&mut Real<'_>)) {
    let world = std::mem::take(&mut shared.borrow_mut().world);
    let mut real = Real { lp, shared: shared.clone(), world };
    run(&mut real);
    shared.borrow_mut().world = real.world;
}

impl Real<'_> {
    fn id(&self, timer: usize) -> TimerId {
        self.shared.borrow().ids[timer]
    }
}

impl Timers for Real<'_> {
    fn set(&mut self, ms: u64, script: Option<usize>, repeats: bool) {
        let (timer, shared) = (self.world.timers, self.shared.clone());
        self.world.timers += 1;
        let id = if repeats {
            let mut runs = 0;
            self.lp.set_interval(ms, move |lp| {
                runs += 1;
                real(lp, &shared, |on| run_timer(on, timer, script, runs));
            })
        } else {
            self.lp.set_timeout(ms, move |lp| {
                real(lp, &shared, |on| run_timer(on, timer, script, 0));
            })
        };
        self.shared.borrow_mut().ids.push(id);
    }
    fn clear(&mut self, timer: usize) {
        self.lp.clear_timer(self.id(timer));
    }
    fn refresh(&mut self, timer: usize) {
        self.lp.timer_refresh(self.id(timer));
    }
    fn set_ref(&mut self, timer: usize, referenced: bool) {
        let id = self.id(timer);
        if referenced { self.lp.timer_ref(id) } else { self.lp.timer_unref(id) }
    }
    fn has_ref(&mut self, timer: usize) -> Option<bool> {
        self.lp.timer_has_ref(self.id(timer))
    }
    fn busy(&mut self, ms: u64) {
        self.lp.busy(Duration::from_millis(ms));
    }
    fn tick(&mut self, script: usize) {
        let shared = self.shared.clone();
        self.lp.next_tick(move |lp| real(lp, &shared, |on| run_script(on, script)));
    }
    fn now_ms(&mut self) -> u64 {
        self.lp.reader().clock().now_ns() / 1_000_000
    }
    fn world(&mut self) -> &mut World {
        &mut self.world
    }
}

#[derive(Debug)]
struct List {
    ms: u64,
    expiry_ms: u64,
    id: u64,
    timers: Vec<usize>,
}

#[derive(Debug)]
struct Timer {
    ms: u64,
    start_ms: u64,
    script: Option<usize>,
    repeats: bool,
    runs: u32,
    referenced: bool,
    gone: bool,
}

/// Node's `lib/internal/timers.js` in short, above a loop that has nothing else to do.
#[derive(Debug, Default)]
struct Model {
    clock_ms: u64,
    loop_ms: u64,
    lists: Vec<List>,
    timers: Vec<Timer>,
    ids: u64,
    next_expiry_ms: Option<u64>,
    loop_timer_ms: Option<u64>,
    ticks: VecDeque<usize>,
    world: World,
}

impl Model {
    fn insert(&mut self, timer: usize, start_ms: u64) {
        self.remove(timer);
        let ms = self.timers[timer].ms;
        self.timers[timer].start_ms = start_ms;
        if !self.lists.iter().any(|list| list.ms == ms) {
            let expiry_ms = start_ms + ms;
            self.lists.push(List { ms, expiry_ms, id: self.ids, timers: Vec::new() });
            self.ids += 1;
            if self.next_expiry_ms.is_none_or(|next| next > expiry_ms) {
                self.next_expiry_ms = Some(expiry_ms);
                self.loop_timer_ms = Some(self.loop_ms + ms);
            }
        }
        let list = self.lists.iter_mut().find(|list| list.ms == ms).unwrap();
        list.timers.push(timer);
    }

    fn remove(&mut self, timer: usize) {
        self.lists.iter_mut().for_each(|list| list.timers.retain(|&other| other != timer));
    }

    fn is_alive(&self) -> bool {
        self.timers.iter().any(|timer| timer.referenced && !timer.gone)
    }

    /// Whether anything holds the loop is asked before its first timers and then behind each turn,
    /// so that the first turn is made though those timers have let the loop go.
    fn run(&mut self) {
        self.drain();
        if !self.is_alive() {
            return;
        }
        self.run_due();
        loop {
            if self.is_alive() {
                let due_ms = self.loop_timer_ms.expect("what is alive has a timer");
                self.clock_ms = self.clock_ms.max(due_ms);
            }
            self.run_due();
            if !self.is_alive() {
                return;
            }
        }
    }

    /// Whatever holds the loop, what is due by now is run in the same phase.
    fn run_due(&mut self) {
        self.loop_ms = self.clock_ms;
        while self.loop_timer_ms.take_if(|due_ms| *due_ms <= self.loop_ms).is_some() {
            self.process_timers();
        }
    }

    fn drain(&mut self) {
        while let Some(script) = self.ticks.pop_front() {
            run_script(self, script);
        }
    }

    fn process_timers(&mut self) {
        self.loop_ms = self.clock_ms;
        let now_ms = self.loop_ms;
        self.next_expiry_ms = None;
        while let Some(first) = self.lists.iter().min_by_key(|list| (list.expiry_ms, list.id)) {
            let (id, expiry_ms) = (first.id, first.expiry_ms);
            if expiry_ms > now_ms {
                self.next_expiry_ms = Some(expiry_ms);
                self.loop_timer_ms = Some(expiry_ms.max(self.loop_ms + 1));
                break;
            }
            self.drain();
            self.run_list(id, now_ms);
        }
        self.drain();
    }

    fn run_list(&mut self, id: u64, now_ms: u64) {
        while let Some(list) = self.lists.iter_mut().find(|list| list.id == id) {
            let Some(&timer) = list.timers.first() else {
                self.lists.retain(|list| list.id != id);
                return;
            };
            let due_ms = self.timers[timer].start_ms + list.ms;
            if due_ms > now_ms {
                list.expiry_ms = due_ms.max(now_ms + 1);
                list.id = self.ids;
                self.ids += 1;
                return;
            }
            self.drain();
            if !self.timers[timer].gone {
                self.run_one(timer);
            }
        }
    }

    fn run_one(&mut self, timer: usize) {
        self.remove(timer);
        self.timers[timer].runs += 1;
        let Timer { script, repeats, runs, .. } = self.timers[timer];
        if repeats {
            self.loop_ms = self.clock_ms;
        }
        let start_ms = self.loop_ms;
        run_timer(self, timer, script, if repeats { runs } else { 0 });
        if repeats && !self.timers[timer].gone {
            self.insert(timer, start_ms);
        } else {
            // A timeout's closure is spent, also if it has refreshed itself.
            self.remove(timer);
            self.timers[timer].gone = true;
        }
    }
}

impl Timers for Model {
    fn set(&mut self, ms: u64, script: Option<usize>, repeats: bool) {
        self.loop_ms = self.clock_ms;
        self.world.timers += 1;
        let (runs, referenced, gone, start_ms) = (0, true, false, 0);
        self.timers.push(Timer { ms, start_ms, script, repeats, runs, referenced, gone });
        self.insert(self.timers.len() - 1, self.loop_ms);
    }
    fn clear(&mut self, timer: usize) {
        let Timer { gone, referenced, ms, .. } = self.timers[timer];
        if gone {
            return;
        }
        self.timers[timer].gone = true;
        self.remove(timer);
        if referenced {
            self.lists.retain(|list| list.ms != ms || !list.timers.is_empty());
        }
    }
    fn refresh(&mut self, timer: usize) {
        self.loop_ms = self.clock_ms;
        if !self.timers[timer].gone {
            self.insert(timer, self.loop_ms);
        }
    }
    fn set_ref(&mut self, timer: usize, referenced: bool) {
        self.timers[timer].referenced = referenced;
    }
    fn has_ref(&mut self, timer: usize) -> Option<bool> {
        let timer = &self.timers[timer];
        (!timer.gone).then_some(timer.referenced)
    }
    fn busy(&mut self, ms: u64) {
        self.clock_ms += ms;
    }
    fn tick(&mut self, script: usize) {
        self.ticks.push_back(script);
    }
    fn now_ms(&mut self) -> u64 {
        self.clock_ms
    }
    fn world(&mut self) -> &mut World {
        &mut self.world
    }
}

fn actions() -> impl Strategy<Value = Action> {
    // Recent timers and old ones, by the remainder.
    let timer = || 0..1_000usize;
    prop_oneof![
        6 => (1..8u64, 0..6usize, any::<bool>()).prop_map(|(ms, script, repeats)| {
            Action::Set { ms, script, repeats }
        }),
        2 => (1..8u64, 1..90usize).prop_map(|(ms, count)| Action::SetMany { ms, count }),
        3 => timer().prop_map(|timer| Action::Clear { timer }),
        2 => (timer(), 1..200usize, 2..40usize).prop_map(|(from, count, but)| {
            Action::ClearMany { from, count, but }
        }),
        3 => timer().prop_map(|timer| Action::Refresh { timer }),
        1 => (timer(), timer(), 1..80usize).prop_map(|(timer, other, times)| {
            Action::RefreshMany { timer, other, times }
        }),
        2 => (timer(), any::<bool>()).prop_map(|(timer, referenced)| {
            Action::SetRef { timer, referenced }
        }),
        1 => timer().prop_map(|timer| Action::HasRef { timer }),
        3 => (0..9u64).prop_map(|ms| Action::Busy { ms }),
        2 => (0..6usize).prop_map(|script| Action::Tick { script }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

    #[test]
    fn timers_run_as_nodes_own_algorithm_has_it(
        scripts in prop::collection::vec(prop::collection::vec(actions(), 0..12), 6),
    ) {
        let scripts = Rc::new(scripts);
        let mut model = Model::default();
        model.world.scripts = scripts.clone();
        run_script(&mut model, 0);
        model.run();

        let options = Options { clock: Clock::virtual_time(), ..Options::default() };
        let mut lp = Loop::new(options).unwrap();
        let shared = Rc::new(RefCell::new(Shared::default()));
        shared.borrow_mut().world.scripts = scripts;
        lp.enter(|lp| real(lp, &shared, |on| run_script(on, 0)));
        prop_assert_eq!(lp.run(RunMode::Default).unwrap(), RunStatus::Done);

        let world = &shared.borrow().world;
        prop_assert_eq!(&world.log, &model.world.log);
        prop_assert_eq!(&world.refs, &model.world.refs);
        prop_assert_eq!(world.actions, model.world.actions);
    }
}
