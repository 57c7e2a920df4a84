//! Takes the whole objects out of a trace that is still being written.
//!
//! ```text
//! {"traceEvents":[{"pid":7,...},{"pid":7,...},...]}
//!                 |<- whole ->| |<- whole ->|
//! ```
//!
//! A process writes in portions that may end anywhere, and one that is killed never writes the end.
//! Cost: each byte is looked at once.
//!
//! **Invariant**: at most [`OBJECT_BYTES_MAX`] bytes are kept between two portions.

/// An event is some 200 bytes; that of a process with its arguments may have thousands.
const OBJECT_BYTES_MAX: usize = 1 << 20;

/// Where the reading of a file stands.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// The object that is not whole yet.
    object: Vec<u8>,
    depth: u32,
    in_list: bool,
    in_string: bool,
    escaped: bool,
    too_long: bool,
    /// Objects left out because they were too long.
    pub(super) dropped: u64,
    /// Whether the list has ended.
    pub(super) closed: bool,
}

impl Pieces {
    /// Reads on, and calls `each` with every object that is whole now.
    pub(super) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        let mut kept = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if self.in_string {
                self.step_in_string(byte);
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'[' if !self.in_list => self.in_list = true,
                b'{' if self.in_list => {
                    self.depth += 1;
                    if self.depth == 1 {
                        kept = at;
                    }
                }
                b'}' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.keep(&bytes[kept..=at]);
                        self.finish(&mut each);
                    }
                }
                b']' if self.in_list && self.depth == 0 => self.closed = true,
                _ => {}
            }
        }
        if self.depth > 0 {
            self.keep(&bytes[kept..]);
        }
    }

    fn step_in_string(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
    }

    fn keep(&mut self, part: &[u8]) {
        self.too_long |= self.object.len() + part.len() > OBJECT_BYTES_MAX;
        if !self.too_long {
            self.object.extend_from_slice(part);
        }
    }

    fn finish(&mut self, each: &mut impl FnMut(&[u8])) {
        if std::mem::take(&mut self.too_long) {
            self.dropped += 1;
        } else {
            each(&self.object);
        }
        self.object.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = r#"{"traceEvents":[{"a":{"b":[1]}},{"s":"}]{\"\\"},
        {"c":[{"d":2}]}]}"#;

    fn of(portions: &[&[u8]]) -> (Vec<String>, Pieces) {
        let (mut found, mut pieces) = (Vec::new(), Pieces::default());
        for portion in portions {
            pieces.feed(portion, |object| found.push(String::from_utf8(object.to_vec()).unwrap()));
        }
        (found, pieces)
    }

    #[test]
    fn wherever_a_portion_ends_the_objects_are_the_same() {
        let (whole, pieces) = of(&[TRACE.as_bytes()]);
        assert_eq!(whole, [r#"{"a":{"b":[1]}}"#, r#"{"s":"}]{\"\\"}"#, r#"{"c":[{"d":2}]}"#]);
        assert!(pieces.closed);
        for cut in 0..TRACE.len() {
            let (head, tail) = TRACE.as_bytes().split_at(cut);
            assert_eq!(of(&[head, tail]).0, whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = TRACE.as_bytes().chunks(1).collect();
        assert_eq!(of(&bytes).0, whole);
    }

    #[test]
    fn a_trace_without_an_end_gives_what_is_whole() {
        let (found, pieces) = of(&[&TRACE.as_bytes()[..40]]);
        assert_eq!(found, [r#"{"a":{"b":[1]}}"#]);
        assert!(!pieces.closed);
    }

    #[test]
    fn an_object_that_is_too_long_is_left_out_and_counted() {
        let long = format!("[{{\"x\":\"{}\"}},{{\"y\":1}}]", "x".repeat(OBJECT_BYTES_MAX));
        let portions: Vec<&[u8]> = long.as_bytes().chunks(100_000).collect();
        let (found, pieces) = of(&portions);
        assert_eq!(found, [r#"{"y":1}"#]);
        assert_eq!(pieces.dropped, 1);
        assert!(pieces.object.is_empty());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(
            portions in prop::collection::vec("[\\[\\]{}\"\\\\a,:]{0,12}", 0..9)
        ) {
            let portions: Vec<&[u8]> = portions.iter().map(|portion| portion.as_bytes()).collect();
            let (_, pieces) = of(&portions);
            prop_assert!(pieces.object.len() <= 200);
        }
    }
}
