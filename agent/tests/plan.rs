//! The probe plan: of small files made here, of damaged ones, and of Node's releases.

#![cfg(target_os = "linux")]

#[path = "plan/damaged.rs"]
mod damaged;
#[path = "plan/imitation.rs"]
mod imitation;
#[path = "plan/made.rs"]
mod made;
#[path = "plan/nodes.rs"]
mod nodes;
#[path = "plan/reduced.rs"]
mod reduced;
#[path = "plan/releases.rs"]
mod releases;
#[path = "plan/writer.rs"]
mod writer;

use loopscope::{
    elf::Image,
    plan::{NotNode, Plan, plan},
};

/// The plan of one file.
fn plan_of(program: &writer::Program) -> Result<Plan, NotNode> {
    plan(&[Image::read(program.file()).expect("the file's headers are whole")])
}
