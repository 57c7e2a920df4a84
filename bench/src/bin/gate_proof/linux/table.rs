//! The table: a line a rule, a column a slowdown.

/// The slowdowns of the columns; the first has none, so that whoever fails it cries wolf.
pub(crate) const SLOWDOWNS: [f64; 5] = [0.0, 0.02, 0.05, 0.10, 0.20];

/// How often a rule has failed jobs, and how often it could not tell; a column a slowdown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) rule: String,
    pub(crate) failed: [usize; SLOWDOWNS.len()],
    pub(crate) open: [usize; SLOWDOWNS.len()],
    pub(crate) jobs: [usize; SLOWDOWNS.len()],
}

impl Line {
    pub(crate) fn new(rule: &str) -> Line {
        Line { rule: rule.to_owned(), ..Line::default() }
    }

    pub(crate) fn count(&mut self, column: usize, failed: bool, open: bool) {
        self.failed[column] += usize::from(failed);
        self.open[column] += usize::from(open);
        self.jobs[column] += 1;
    }

    /// Adds the counts of another line.
    pub(crate) fn add(&mut self, other: &Line) {
        for column in 0..SLOWDOWNS.len() {
            self.failed[column] += other.failed[column];
            self.open[column] += other.open[column];
            self.jobs[column] += other.jobs[column];
        }
    }
}

pub(crate) fn print(title: &str, lines: &[Line]) {
    println!("\n{title}\n");
    let slower = SLOWDOWNS[1..].iter().map(|slowdown| format!(" {:.0} % slower |", slowdown * 1e2));
    println!("| rule | false alarms |{} can't tell |", slower.collect::<String>());
    println!("|---|{}---|", "---|".repeat(SLOWDOWNS.len()));
    for line in lines {
        let share = |count: usize, jobs: usize| match jobs {
            0 => "-".to_owned(),
            jobs => format!("{:.1} %", 100.0 * count as f64 / jobs as f64),
        };
        let columns = line.failed.iter().zip(&line.jobs);
        let mut cells: Vec<String> = columns.map(|(failed, jobs)| share(*failed, *jobs)).collect();
        if line.failed[0] > 0 || line.jobs[0] < 1_000 {
            cells[0] = format!("{} ({} of {})", cells[0], line.failed[0], line.jobs[0]);
        }
        let open = share(line.open[0], line.jobs[0]);
        println!("| {} | {} | {open} |", line.rule, cells.join(" | "));
    }
}
