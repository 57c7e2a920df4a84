//! Collects the probes, and the reasons for those that can't be.

use super::{Missing, Point, Probe, evidence::Evidence, pick::Picked};

/// Probes and reasons so far.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) probes: Vec<Probe>,
    pub(super) missing: Vec<Missing>,
}

impl Outcome {
    /// Notes how it went with a point.
    pub(super) fn add(&mut self, point: Point, found: Result<Vec<Probe>, String>) {
        match found {
            Ok(probes) => self.probes.extend(probes),
            Err(reason) => self.missing.push(Missing { point, reason }),
        }
    }

    /// Notes that several points can't be had for the same reason.
    pub(super) fn add_missing(&mut self, points: &[Point], reason: &str) {
        let missing = |&point| Missing { point, reason: reason.to_owned() };
        self.missing.extend(points.iter().map(missing));
    }
}

/// The probe on an instruction.
pub(super) fn probe(
    evidence: &Evidence<'_>,
    point: Point,
    picked: Picked,
) -> Result<Probe, String> {
    let Picked { instruction, stepped } = picked;
    let address = instruction.ip();
    let outside = || format!("{address:#x} is not in the file");
    let file_offset = evidence.image.file_offset(address).ok_or_else(outside)?;
    let bytes = evidence.image.bytes_at(address, 16).ok_or_else(outside)?;
    Ok(Probe {
        point,
        module: evidence.module,
        file_offset,
        address,
        bytes: bytes.try_into().map_err(|_| outside())?,
        instruction: crate::elf::text(&instruction),
        stepped,
    })
}
