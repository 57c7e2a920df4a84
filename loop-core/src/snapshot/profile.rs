//! The samples of one stall, in the order in which they were taken.
//!
//! ```text
//! frames: [{name, file, line}]          each function at a line, once
//! stacks: [[frame, frame, ...]]         each stack once, innermost frame first
//! samples: [{offset, stack, weight}]    what ran, from when on, for how long
//! ```
//!
//! Cost: 24 bytes a sample, a few KB of names.
//!
//! **Invariant**: it is bounded. Where there are too many samples, two become one that has the
//! weight of both, so that the sum of all weights is the time that was seen. What comes after too
//! many stacks is counted as a stack without frames.

use std::collections::HashMap;

/// Samples of one stall: with one a millisecond, those of two seconds. Longer ones lose resolution.
const SAMPLES_MAX: usize = 2_048;

/// Frames of one stack; the outermost are left out.
const DEPTH_MAX: usize = 128;

/// Stacks told apart in one stall.
const STACKS_MAX: usize = 1_024;

/// Functions at a line told apart in one stall.
const FRAMES_MAX: usize = 4_096;

/// The samples of a stall. See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    start_unix_ns: u64,
    frames: Vec<ProfileFrame>,
    stacks: Vec<Vec<u32>>,
    samples: Vec<Sample>,
    frame_numbers: HashMap<ProfileFrame, u32>,
    stack_numbers: HashMap<Vec<u32>, u32>,
}

/// A function at a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProfileFrame {
    /// Empty for one that has none.
    pub name: String,
    /// Path or URL, `node:` and a name for Node's own code; `None`: built in, or native.
    pub file: Option<String>,
    /// The line that ran, from 1; `None`: not known.
    pub line: Option<u32>,
}

/// What a thread did for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was seen, in nanoseconds since the profile began.
    pub offset_ns: u64,
    /// Which of the stacks.
    pub stack: u32,
    /// The time that it stands for, in nanoseconds: the one before it was seen.
    pub weight_ns: u64,
    /// Whether the thread ran or waited.
    pub state: SampleState,
}

/// What a thread that is sampled does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleState {
    /// It executes.
    OnCpu,
    /// It waits in a system call, or is stopped.
    Waiting,
}

impl Profile {
    /// One that begins then, in nanoseconds since the Unix epoch, or of virtual time: when its
    /// stall did, as far as whoever takes samples knows.
    pub fn new(start_unix_ns: u64) -> Profile {
        Profile {
            start_unix_ns,
            frames: Vec::new(),
            stacks: Vec::new(),
            samples: Vec::new(),
            frame_numbers: HashMap::new(),
            stack_numbers: HashMap::new(),
        }
    }

    /// One of the parts that another one has: what [`Profile::frames`], [`Profile::stacks`] and
    /// [`Profile::samples`] tell. `None`: they don't fit together, or are more than one holds.
    pub fn of_parts(
        start_unix_ns: u64,
        frames: Vec<ProfileFrame>,
        stacks: Vec<Vec<u32>>,
        samples: Vec<Sample>,
    ) -> Option<Profile> {
        let is_few = frames.len() <= FRAMES_MAX
            && stacks.len() <= STACKS_MAX
            && samples.len() <= SAMPLES_MAX
            && stacks.iter().all(|stack| stack.len() <= DEPTH_MAX);
        let has = |frame: &u32| (*frame as usize) < frames.len();
        let fits = stacks.iter().flatten().all(has)
            && samples.iter().all(|sample| (sample.stack as usize) < stacks.len())
            && samples.is_sorted_by_key(|sample| sample.offset_ns);
        (is_few && fits).then(|| Profile {
            start_unix_ns,
            frame_numbers: frames.iter().cloned().zip(0..).collect(),
            stack_numbers: stacks.iter().cloned().zip(0..).collect(),
            frames,
            stacks,
            samples,
        })
    }

    /// When it begins, in nanoseconds since the Unix epoch.
    pub fn start_unix_ns(&self) -> u64 {
        self.start_unix_ns
    }

    /// Each function at a line.
    pub fn frames(&self) -> &[ProfileFrame] {
        &self.frames
    }

    /// Each stack, innermost frame first, by the numbers of its frames.
    pub fn stacks(&self) -> &[Vec<u32>] {
        &self.stacks
    }

    /// The samples, oldest first.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The frames of a sample, innermost first.
    pub fn stack_of(&self, sample: &Sample) -> impl DoubleEndedIterator<Item = &ProfileFrame> {
        let stack = self.stacks.get(sample.stack as usize).map_or(&[][..], Vec::as_slice);
        stack.iter().filter_map(|&frame| self.frames.get(frame as usize))
    }

    /// Adds a sample of this stack, innermost frame first. One that seems to be older than the last
    /// was seen with it.
    pub fn add(
        &mut self,
        offset_ns: u64,
        weight_ns: u64,
        state: SampleState,
        frames: impl IntoIterator<Item = ProfileFrame>,
    ) {
        let numbers = frames.into_iter().take(DEPTH_MAX).map_while(|frame| self.frame(frame));
        let numbers: Vec<u32> = numbers.collect();
        let stack = self.stack(numbers);
        if self.samples.len() == SAMPLES_MAX {
            self.thin();
        }
        let last_ns = self.samples.last().map_or(0, |last| last.offset_ns);
        let offset_ns = offset_ns.max(last_ns);
        self.samples.push(Sample { offset_ns, stack, weight_ns, state });
    }

    /// Replaces names, as where they are not to be told.
    pub fn rename(&mut self, mut rename: impl FnMut(&mut ProfileFrame)) {
        self.frames.iter_mut().for_each(&mut rename);
        self.frame_numbers.clear();
        let numbered = self.frames.iter().cloned().zip(0..);
        self.frame_numbers.extend(numbered);
    }

    /// `None`: there are too many.
    fn frame(&mut self, frame: ProfileFrame) -> Option<u32> {
        if let Some(known) = self.frame_numbers.get(&frame) {
            return Some(*known);
        }
        let number = u32::try_from(self.frames.len()).ok()?;
        (self.frames.len() < FRAMES_MAX).then(|| {
            self.frames.push(frame.clone());
            self.frame_numbers.insert(frame, number);
            number
        })
    }

    fn stack(&mut self, stack: Vec<u32>) -> u32 {
        let is_full = self.stacks.len() + 1 >= STACKS_MAX;
        let known = self.stack_numbers.contains_key(&stack);
        let stack = if is_full && !known { Vec::new() } else { stack };
        let stacks = &mut self.stacks;
        *self.stack_numbers.entry(stack).or_insert_with_key(|stack| {
            stacks.push(stack.clone());
            u32::try_from(stacks.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Makes one of each two: the later, with the weight of both.
    fn thin(&mut self) {
        let pairs = self.samples.chunks(2).filter_map(|pair| {
            let weight_ns = pair.iter().map(|sample| sample.weight_ns).sum();
            pair.last().map(|last| Sample { weight_ns, ..*last })
        });
        self.samples = pairs.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str, line: u32) -> ProfileFrame {
        ProfileFrame { name: name.into(), file: Some("/a.js".into()), line: Some(line) }
    }

    #[test]
    fn stacks_and_frames_are_kept_once() {
        let mut profile = Profile::new(0);
        let main = || frame("main", 9);
        profile.add(1, 1, SampleState::OnCpu, [frame("work", 1), main()]);
        profile.add(2, 1, SampleState::Waiting, [frame("work", 2), main()]);
        profile.add(3, 1, SampleState::OnCpu, [frame("work", 1), main()]);
        assert_eq!((profile.frames().len(), profile.stacks().len()), (3, 2));
        let stacks: Vec<u32> = profile.samples().iter().map(|sample| sample.stack).collect();
        assert_eq!(stacks, [0, 1, 0]);
        let names = profile.stack_of(&profile.samples()[1]).map(|frame| frame.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["work", "main"]);
    }

    #[test]
    fn all_is_bounded_and_no_time_is_lost() {
        let mut profile = Profile::new(0);
        let many = 3 * SAMPLES_MAX as u64 + 1;
        for number in 0..many {
            let line = u32::try_from(number).unwrap();
            let deep = (0..200).map(|_| frame("deep", line));
            profile.add(number, 5, SampleState::OnCpu, deep);
        }
        assert!(profile.samples().len() <= SAMPLES_MAX);
        assert!(profile.stacks().len() <= STACKS_MAX && profile.frames().len() <= FRAMES_MAX);
        assert!(profile.stacks().iter().all(|stack| stack.len() <= DEPTH_MAX));
        let weights: u64 = profile.samples().iter().map(|sample| sample.weight_ns).sum();
        assert_eq!(weights, 5 * many);
        assert!(profile.samples().is_sorted_by_key(|sample| sample.offset_ns));
    }

    #[test]
    fn a_profile_is_made_of_the_parts_of_another() {
        let mut profile = Profile::new(7);
        for line in 0..3_000 {
            profile.add(u64::from(line), 5, SampleState::OnCpu, [frame("work", line % 50)]);
        }
        let again = |mut profile: Profile, change: fn(&mut Profile)| {
            change(&mut profile);
            let Profile { start_unix_ns, frames, stacks, samples, .. } = profile;
            Profile::of_parts(start_unix_ns, frames, stacks, samples)
        };
        assert_eq!(again(profile.clone(), |_| ()).as_ref(), Some(&profile));
        assert_eq!(again(profile.clone(), |of| of.samples[0].stack = 50), None);
        assert_eq!(again(profile.clone(), |of| of.stacks[0][0] = 50), None);
        assert_eq!(again(profile.clone(), |of| of.samples.swap(0, 1)), None);
        let many = |of: &mut Profile| of.samples = vec![of.samples[0]; SAMPLES_MAX + 1];
        assert_eq!(again(profile, many), None);
    }

    #[test]
    fn what_is_renamed_stays_one_frame() {
        let mut profile = Profile::new(0);
        profile.add(1, 1, SampleState::OnCpu, [frame("work", 1)]);
        profile.rename(|frame| frame.name = "hidden".into());
        profile.add(2, 1, SampleState::OnCpu, [frame("hidden", 1)]);
        assert_eq!(profile.frames(), [frame("hidden", 1)]);
    }
}
