//! What the agent knows of a host besides its processes: what is wanted, and what it is called.
//!
//! ```text
//!  options, file ──> Settings ──> rules ──┐
//!  environment, unit, container, pod ─────┴──> Choice: observe it? under which name?
//! ```
//!
//! The processes themselves are found and watched by
//! [`source::watch_host`](crate::source::watch_host).

mod choice;
mod naming;
mod open_files;
mod pattern;
mod rights;
mod rules;
mod runtimes;
mod settings;

pub use open_files::raise_open_files;
pub use rights::{Kept, keep_rights};
pub use settings::{Settings, everybody};
