//! What threads that run loops are called.

use std::collections::{BTreeMap, VecDeque};

/// The name of loops that are told together, as they have ended long ago. They have no thread.
pub(super) const OTHER: &str = "other";

/// The names of the threads that run loops: workers are numbered as they were seen.
///
/// Where workers come and go without end, the lowest numbers, whose loops are told each by itself,
/// are given again once nobody is told any more of who had them: the one that has been free for the
/// longest first.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<u32, usize>,
    /// Numbers that are free again, the one that has been so for the longest first.
    free: VecDeque<usize>,
    highest: usize,
    /// Up to this number each is told by itself.
    alone_max: usize,
}

impl Names {
    pub(super) fn add(&mut self, mut tids: Vec<u32>) {
        tids.retain(|tid| !self.numbers.contains_key(tid));
        tids.sort_unstable();
        tids.dedup();
        for tid in tids {
            let number = self.next();
            self.highest = self.highest.max(number);
            self.numbers.insert(tid, number);
        }
    }

    fn next(&mut self) -> usize {
        let again = if self.highest < self.alone_max { None } else { self.free.pop_front() };
        again.unwrap_or(self.highest + 1)
    }

    /// From now on workers up to this number are told each by itself.
    pub(super) fn tell_alone(&mut self, alone_max: usize) {
        self.alone_max = alone_max;
    }

    /// The threads whose loops are told each by itself.
    pub(super) fn alone(&self) -> impl Iterator<Item = u32> {
        let is_alone = |&(_, &number): &(&u32, &usize)| number <= self.alone_max;
        self.numbers.iter().filter(is_alone).map(|(&tid, _)| tid)
    }

    /// Nobody is told of this thread's loop any more.
    pub(super) fn let_go(&mut self, tid: u32) {
        let number = self.numbers.remove(&tid);
        self.free.extend(number.filter(|&number| number <= self.alone_max));
    }

    pub(super) fn of(&self, pid: u32, tid: u32) -> String {
        match self.numbers.get(&tid) {
            _ if tid == pid => "main".to_owned(),
            // Several that have ended, together.
            _ if tid == 0 => OTHER.to_owned(),
            Some(number) => format!("worker-{number}"),
            None => format!("worker-{}", self.highest + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_numbered_as_they_were_seen() {
        let mut names = Names::default();
        names.add(vec![9, 8, 9]);
        names.add(vec![5, 8]);
        let all = [1, 8, 9, 5, 7, 0].map(|tid| names.of(1, tid));
        assert_eq!(all, ["main", "worker-1", "worker-2", "worker-3", "worker-4", "other"]);
    }

    #[test]
    fn one_that_is_alone_has_a_number_of_its_own_whoever_came_before() {
        let mut names = Names::default();
        names.tell_alone(3);
        let mut numbers = Vec::new();
        for tid in 2..=8 {
            names.add(vec![tid]);
            numbers.push(names.of(1, tid));
            names.let_go(tid);
        }
        let [one, two, three] = ["worker-1", "worker-2", "worker-3"];
        assert_eq!(numbers, [one, two, three, one, two, three, one]);
        names.add((10..=13).collect());
        assert_eq!(names.of(1, 13), "worker-4", "as many as are there");
        assert_eq!(names.alone().count(), 3);
        names.let_go(13);
        names.let_go(10);
        names.add(vec![14, 15]);
        assert_eq!([14, 15].map(|tid| names.of(1, tid)), [two, "worker-5"]);
    }
}
