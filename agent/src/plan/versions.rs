//! Versions, by what the code says about itself.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::{Versions, evidence::Evidence};
use crate::elf::Function;

/// Each is four bytes of data, in this order.
pub(super) const V8_VERSION: [&str; 4] = [
    "_ZN2v88internal7Version6major_E",
    "_ZN2v88internal7Version6minor_E",
    "_ZN2v88internal7Version6build_E",
    "_ZN2v88internal7Version6patch_E",
];

/// Node's addons ask these, so they are exported everywhere, stripped or not.
pub(super) const NODE_VERSION: &str = "napi_get_node_version";
pub(super) const UV_VERSION: &str = "uv_version";
pub(super) const UV_VERSION_STRING: &str = "uv_version_string";

/// More of a version than any has.
const STRING_BYTES_MAX: usize = 32;

pub(super) fn versions(
    node: &Evidence<'_>,
    uv: Option<&Evidence<'_>>,
    v8: Option<&Evidence<'_>>,
) -> Versions {
    Versions { node: node_version(node), uv: uv.and_then(uv_version), v8: v8.and_then(v8_version) }
}

/// `napi_get_node_version(env, result)` stores the address of a constant in `*result`: three
/// numbers of 32 bits each, and the address of the name of the release.
fn node_version(node: &Evidence<'_>) -> Option<String> {
    let function = node.function_named(NODE_VERSION).ok()?;
    let stored = function.instructions.iter().enumerate().find_map(|(index, one)| {
        let result = one.mnemonic() == Mnemonic::Mov
            && one.op0_kind() == OpKind::Memory
            && (one.memory_base(), one.memory_displacement64()) == (Register::RSI, 0)
            && one.memory_index() == Register::None;
        result.then(|| stored_value(&function.instructions[..index], one)).flatten()
    })?;
    let bytes = node.image.bytes_at(stored, 12)?;
    let [major, minor, patch] = [0, 4, 8].map(|at| word(&bytes[at..at + 4]));
    // A constant of something else would hardly hold three small numbers.
    let plausible = (12..1_000).contains(&major) && minor < 1_000 && patch < 1_000;
    plausible.then(|| format!("{major}.{minor}.{patch}"))
}

/// What `one` stores: a number, or an address that was loaded into a register just before.
fn stored_value(before: &[Instruction], one: &Instruction) -> Option<u64> {
    match one.op1_kind() {
        OpKind::Register => loaded(before, one.op1_register()),
        _ => one.try_immediate(1).ok(),
    }
}

/// The constant or address in a register behind these instructions, if the last one that names it
/// as its target loads one.
pub(super) fn loaded(before: &[Instruction], register: Register) -> Option<u64> {
    let full = register.full_register();
    let last = before.iter().rev().find(|one| {
        one.op0_kind() == OpKind::Register && one.op0_register().full_register() == full
    })?;
    match last.mnemonic() {
        Mnemonic::Lea if last.memory_base() == Register::RIP => Some(last.ip_rel_memory_address()),
        Mnemonic::Mov => last.try_immediate(1).ok(),
        _ => None,
    }
}

/// `uv_version()` returns `major << 16 | minor << 8 | patch`, `uv_version_string()` the same as
/// text.
fn uv_version(uv: &Evidence<'_>) -> Option<(u8, u8, u8)> {
    let [patch, minor, major, 0] = (returned(uv, UV_VERSION)? as u32).to_le_bytes() else {
        return None;
    };
    let text = uv.image.bytes_at(returned(uv, UV_VERSION_STRING)?, STRING_BYTES_MAX)?;
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let expected = format!("{major}.{minor}.{patch}");
    // Unreleased ones go on with `-dev`.
    let same = text.strip_prefix(expected.as_bytes());
    same.is_some_and(|rest| rest.is_empty() || rest[0] == b'-').then_some((major, minor, patch))
}

/// The constant that a function without any branch returns.
fn returned(evidence: &Evidence<'_>, name: &str) -> Option<u64> {
    let Function { instructions, .. } = evidence.function_named(name).ok()?;
    let end = instructions.iter().position(|one| one.mnemonic() == Mnemonic::Ret)?;
    let before = &instructions[..end];
    let straight = before.iter().all(|one| crate::elf::branch_target(one).is_none());
    straight.then(|| loaded(before, Register::RAX)).flatten()
}

fn v8_version(v8: &Evidence<'_>) -> Option<String> {
    let mut numbers = Vec::with_capacity(V8_VERSION.len());
    for name in V8_VERSION {
        let symbol = v8.one(name).ok().filter(|symbol| symbol.size == 4)?;
        let number = word(&v8.image.bytes_at(symbol.address, 4)?);
        numbers.push(number.to_string());
    }
    Some(numbers.join("."))
}

fn word(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}
