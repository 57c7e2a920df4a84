//! What is told of an endpoint: when it begins to fail, and when it works again.

use loop_core::units::{format_count, format_ns};
use tokio::time::Instant;

use super::post::PushError;

/// The longest text of a receiver that is told.
const WORDS_MAX: usize = 200;

/// An endpoint as it is now.
#[derive(Debug)]
pub(super) struct Outage {
    /// What is pushed to where, for people.
    what: String,
    since: Option<Instant>,
    failures: u64,
    dropped: u64,
}

impl Outage {
    /// An endpoint that works, as far as is known.
    pub(super) fn new(what: String) -> Outage {
        Outage { what, since: None, failures: 0, dropped: 0 }
    }

    /// Notes a failure. What to tell, if it is the first since it worked.
    pub(super) fn failed(&mut self, error: &PushError) -> Option<String> {
        self.failures += 1;
        if self.since.is_some() {
            return None;
        }
        self.since = Some(Instant::now());
        let next = match error.is_retryable() {
            true => "it is tried again until it works",
            false => "what was refused is not sent again",
        };
        let error: String = error.to_string().chars().take(2 * WORDS_MAX).collect();
        Some(format!("{} failed: {error}; {next}", self.what))
    }

    /// Notes stalls that are given up.
    pub(super) fn dropped(&mut self, records: u64) {
        self.dropped += records;
    }

    /// Notes a success. What to tell, if it is the first since a failure.
    pub(super) fn worked(&mut self) -> Option<String> {
        let lasted = self.since.take()?.elapsed();
        let told = format!(
            "{} works again after {}: {} failed, {}",
            self.what,
            format_ns(u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX)),
            counted(self.failures, "attempt"),
            match self.dropped {
                0 => "nothing was lost".to_owned(),
                lost => format!("{} dropped", counted(lost, "stall")),
            }
        );
        (self.failures, self.dropped) = (0, 0);
        Some(told)
    }

    /// What to tell at the end, if `undelivered` stalls are left.
    pub(super) fn ended(&self, undelivered: u64) -> Option<String> {
        let lost = counted(undelivered, "stall");
        (undelivered > 0).then(|| format!("{} ended with {lost} not delivered", self.what))
    }
}

fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", format_count(count))
}

/// What a receiver says, no longer than fits a line.
pub(super) fn words(text: &str) -> String {
    text.chars().take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_line_is_told_when_the_state_changes() {
        let mut outage = Outage::new("pushing OTLP logs to http://h".to_owned());
        assert_eq!(outage.worked(), None);
        let error = PushError::Throttled(None);
        let told = outage.failed(&error).unwrap();
        assert!(told.contains("http://h failed") && told.contains("tried again"), "{told}");
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(outage.failed(&error), None);
        outage.dropped(3);
        let told = outage.worked().unwrap();
        let want = "http://h works again after 90.0 s: 2 attempts failed, 3 stalls dropped";
        assert!(told.ends_with(want), "{told}");
        assert_eq!(outage.worked(), None);
        assert!(outage.failed(&PushError::Garbage).unwrap().contains("not sent again"));
        assert!(outage.worked().unwrap().contains("1 attempt failed, nothing was lost"));
        assert_eq!(outage.ended(0), None);
        assert!(outage.ended(1).unwrap().contains("1 stall not delivered"));
    }
}
