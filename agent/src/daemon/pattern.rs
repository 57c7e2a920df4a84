//! Patterns as in a shell: `*` stands for any text, `?` for one character.

use std::fmt;

use serde::Deserialize;

/// A pattern. What has neither `*` nor `?` stands for itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Pattern(String);

impl Pattern {
    /// Whether it is of all of this text. Cost: the product of the lengths, at worst.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (pattern, text): (Vec<char>, Vec<char>) =
            (self.0.chars().collect(), text.chars().collect());
        let (mut at, mut read) = (0, 0);
        // Where the last `*` stands, and how far it goes so far.
        let mut star: Option<(usize, usize)> = None;
        while read < text.len() {
            match pattern.get(at) {
                Some('*') => {
                    star = Some((at, read));
                    at += 1;
                }
                Some(&char) if char == '?' || char == text[read] => {
                    at += 1;
                    read += 1;
                }
                _ => {
                    let Some((star_at, until)) = &mut star else { return false };
                    *until += 1;
                    (at, read) = (*star_at + 1, *until);
                }
            }
        }
        pattern[at..].iter().all(|&char| char == '*')
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_others() {
        for (pattern, text, same) in [
            ("shop", "shop", true),
            ("shop", "shops", false),
            ("shop*", "shop", true),
            ("*-worker", "mail-worker", true),
            ("*-worker", "mail-worker-2", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?op", "top", true),
            ("?op", "op", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("é*", "école", true),
        ] {
            assert_eq!(Pattern(pattern.to_owned()).matches(text), same, "{pattern} {text}");
        }
        let slow = Pattern("*a".repeat(50) + "b");
        assert!(!slow.matches(&"a".repeat(5_000)), "and it ends");
    }
}
