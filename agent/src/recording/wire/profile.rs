//! The samples of a stall, in lists.

use loop_core::snapshot::{self, Profile, ProfileFrame, SampleState};
use prost::Message;

use super::numbers::Numbered;
use super::{Odd, decode, fields, unix, value};
use crate::recording::limits::{PARTS_MAX, SAMPLES_LISTS_BYTES_MAX};

/// The number of the field that has the functions.
const FRAMES: u64 = 3;

/// The samples of a stall.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Samples {
    /// The number of the stall.
    #[prost(uint64, tag = "1")]
    pub(crate) stall: u64,
    #[prost(uint64, tag = "2")]
    start_unix_ns: u64,
    #[prost(message, repeated, tag = "3")]
    frames: Vec<Frame>,
    /// How many frames each stack has.
    #[prost(uint32, repeated, tag = "4")]
    depths: Vec<u32>,
    /// The frames of all stacks, one stack behind the other, innermost frame first.
    #[prost(uint32, repeated, tag = "5")]
    stacks: Vec<u32>,
    /// When each sample was seen, since the one before it.
    #[prost(uint64, repeated, tag = "6")]
    later_ns: Vec<u64>,
    /// The stack of each sample.
    #[prost(uint32, repeated, tag = "7")]
    stack_numbers: Vec<u32>,
    /// The time that each stands for.
    #[prost(uint64, repeated, tag = "8")]
    weights_ns: Vec<u64>,
    /// Whether the thread ran or waited.
    #[prost(uint32, repeated, tag = "9")]
    states: Vec<u32>,
}

/// A function at a line.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Frame {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, optional, tag = "2")]
    file: Option<String>,
    #[prost(uint32, optional, tag = "3")]
    line: Option<u32>,
}

impl Samples {
    /// The samples of the stall with this number.
    pub(crate) fn of(stall: u64, profile: &Profile) -> Samples {
        let stacks = profile.stacks();
        let mut last_ns = 0;
        let mut samples = Samples {
            stall,
            start_unix_ns: profile.start_unix_ns(),
            frames: profile.frames().iter().map(Frame::from).collect(),
            depths: stacks.iter().map(|of| u32::try_from(of.len()).unwrap_or(u32::MAX)).collect(),
            stacks: stacks.concat(),
            ..Samples::default()
        };
        for sample in profile.samples() {
            let snapshot::Sample { offset_ns, stack, weight_ns, state } = *sample;
            samples.later_ns.push(offset_ns - last_ns);
            samples.stack_numbers.push(stack);
            samples.weights_ns.push(weight_ns);
            samples.states.push(state.number());
            last_ns = offset_ns;
        }
        samples
    }

    /// What these bytes say.
    pub(crate) fn read(payload: &[u8]) -> Result<Samples, Odd> {
        let (mut frames, mut others) = (PARTS_MAX, SAMPLES_LISTS_BYTES_MAX);
        fields::each(payload, |number, bytes| match number {
            FRAMES => fields::take(&mut frames, 1),
            _ => fields::take(&mut others, bytes.len().max(1)),
        })?;
        decode(payload)
    }

    /// What they take in memory, but for the names of functions.
    pub(crate) fn memory_bytes(&self) -> usize {
        let looked_up = size_of::<Vec<u32>>() + size_of::<u32>();
        size_of::<Profile>()
            + self.frames.len() * (2 * size_of::<ProfileFrame>() + size_of::<u32>())
            + self.depths.len() * (size_of::<Vec<u32>>() + looked_up)
            + self.stacks.len() * 2 * size_of::<u32>()
            + self.later_ns.len() * size_of::<snapshot::Sample>()
    }

    /// The profile that they are.
    pub(crate) fn profile(self) -> Result<Profile, Odd> {
        let count = self.later_ns.len();
        let lists = [self.stack_numbers.len(), self.weights_ns.len(), self.states.len()];
        if lists.iter().any(|len| *len != count) {
            return Err(Odd);
        }
        let mut rest = self.stacks.as_slice();
        let mut stacks = Vec::new();
        for depth in self.depths {
            let (stack, behind) = rest.split_at_checked(depth as usize).ok_or(Odd)?;
            stacks.push(stack.to_vec());
            rest = behind;
        }
        let (mut offset_ns, mut weights_ns) = (0, 0);
        let mut samples = Vec::with_capacity(count);
        for index in 0..count {
            offset_ns = value(offset_ns + value(self.later_ns[index])?)?;
            let weight_ns = value(self.weights_ns[index])?;
            weights_ns = value(weights_ns + weight_ns)?;
            samples.push(snapshot::Sample {
                offset_ns,
                stack: self.stack_numbers[index],
                weight_ns,
                state: SampleState::numbered(self.states[index])?,
            });
        }
        let frames = self.frames.into_iter().map(ProfileFrame::from).collect();
        Profile::of_parts(unix(self.start_unix_ns)?, frames, stacks, samples).ok_or(Odd)
    }
}

impl From<&ProfileFrame> for Frame {
    fn from(from: &ProfileFrame) -> Frame {
        let ProfileFrame { name, file, line } = from.clone();
        Frame { name, file, line }
    }
}

impl From<Frame> for ProfileFrame {
    fn from(from: Frame) -> ProfileFrame {
        let Frame { name, file, line } = from;
        ProfileFrame { name, file, line }
    }
}
