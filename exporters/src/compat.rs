//! Which metrics are told under the names of others, too, beside ours.
//!
//! They are off unless asked for: a service that exports them itself would be counted twice.

/// The lists of names that [`crate::metrics`] has beside ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compat {
    /// Those of OpenTelemetry's conventions for Node.js and V8.
    pub otel: bool,
    /// Those of prom-client, the client library for Node.js.
    pub prom_client: bool,
}

impl Compat {
    /// What [`Compat::with`] takes.
    pub const NAMES: [&'static str; 2] = ["otel", "prom-client"];

    /// This with the list of one name added; `None`: there is no such name.
    #[must_use]
    pub fn with(self, name: &str) -> Option<Self> {
        match name {
            "otel" => Some(Compat { otel: true, ..self }),
            "prom-client" => Some(Compat { prom_client: true, ..self }),
            _ => None,
        }
    }

    /// Whether any list is asked for.
    pub const fn any(self) -> bool {
        self.otel || self.prom_client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_adds_a_list() {
        let all = Compat::NAMES.iter().try_fold(Compat::default(), |all, name| all.with(name));
        assert_eq!(all, Some(Compat { otel: true, prom_client: true }));
        assert!(!Compat::default().any() && Compat::default().with("otel").unwrap().any());
        assert_eq!(Compat::default().with("OTEL"), None);
    }
}
