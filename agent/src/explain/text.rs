//! The timeline as text.
use super::Explained;
use crate::terminal::Terminal;
/// Text.
pub fn text(_: &Explained<'_>, _: &Terminal) -> String {
    String::new()
}
