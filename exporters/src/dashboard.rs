//! The queries of a Grafana dashboard, as a Prometheus gets them: for tests and checks.
//!
//! A dashboard is JSON that nothing compiles. Its test parses every query and holds its names
//! against the list of metrics; a test with a live server evaluates every one of them.

use std::fmt;

use serde_json::Value;

/// Grafana's own variables, at values that fit a scrape interval of 15 s.
pub const BUILT_IN: [(&str, &str); 4] =
    [("__rate_interval", "1m"), ("__interval", "15s"), ("__range", "1h"), ("__range_s", "3600")];

/// One query of a panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelQuery {
    /// Title of the panel.
    pub panel: String,
    /// The query with every variable replaced.
    pub expr: String,
}

/// Why the queries of a dashboard could not be listed.
#[derive(Debug)]
#[non_exhaustive]
pub enum DashboardError {
    /// The text is not JSON.
    Json(serde_json::Error),
    /// The JSON has no list `panels`: it is no dashboard.
    NoPanels,
    /// A query uses a variable that has no value.
    UnknownVariable {
        /// Title of the panel.
        panel: String,
        /// The query from the variable on.
        at: String,
    },
}

impl fmt::Display for DashboardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DashboardError::Json(error) => write!(f, "not JSON: {error}; export it anew"),
            DashboardError::NoPanels => f.write_str("no `panels` in it: pass a dashboard's JSON"),
            DashboardError::UnknownVariable { panel, at } => {
                write!(f, "panel {panel:?}: no value for the variable at {at:?}: pass one")
            }
        }
    }
}

impl std::error::Error for DashboardError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DashboardError::Json(error) => Some(error),
            _ => None,
        }
    }
}

/// Lists every query of the dashboard in `json`, panels in rows included. Variables (`$name` or
/// `${name}`) are replaced by `variables` as (name, value), else by [`BUILT_IN`].
///
/// # Errors
/// If the text is no dashboard, or a query uses a variable without a value.
pub fn queries(json: &str, variables: &[(&str, &str)]) -> Result<Vec<PanelQuery>, DashboardError> {
    let dashboard: Value = serde_json::from_str(json).map_err(DashboardError::Json)?;
    let panels = dashboard["panels"].as_array().ok_or(DashboardError::NoPanels)?;
    let nested = panels.iter().filter_map(|row| row["panels"].as_array()).flatten();
    let mut queries = Vec::new();
    for panel in panels.iter().chain(nested) {
        let title = panel["title"].as_str().unwrap_or_default();
        let targets = panel["targets"].as_array().into_iter().flatten();
        for expr in targets.filter_map(|target| target["expr"].as_str()) {
            let expr = substitute(expr, variables).map_err(|at| {
                DashboardError::UnknownVariable { panel: title.to_owned(), at: at.to_owned() }
            })?;
            queries.push(PanelQuery { panel: title.to_owned(), expr });
        }
    }
    Ok(queries)
}

/// Replaces every variable; the rest of the text from the first unknown one is the error.
fn substitute<'a>(mut text: &'a str, variables: &[(&str, &str)]) -> Result<String, &'a str> {
    let mut out = String::with_capacity(text.len());
    while let Some(at) = text.find('$') {
        out.push_str(&text[..at]);
        let rest = &text[at + 1..];
        let (name, after) = match rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or(&text[at..])?,
            None => rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
        };
        let mut known = variables.iter().chain(&BUILT_IN);
        let (_, value) = known.find(|(key, _)| *key == name).ok_or(&text[at..])?;
        out.push_str(value);
        text = after;
    }
    out.push_str(text);
    Ok(out)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_in_both_spellings() {
        let vars = [("pid", "7"), ("__range", "5m")];
        assert_eq!(substitute("a{p=\"$pid\"}[$__range]", &vars).unwrap(), "a{p=\"7\"}[5m]");
        assert_eq!(substitute("${pid}x[$__rate_interval]", &vars).unwrap(), "7x[1m]");
        assert_eq!(substitute("up{a=\"$gone\"}", &vars).unwrap_err(), "$gone\"}");
        assert_eq!(substitute("up ${pid", &vars).unwrap_err(), "${pid");
    }

    #[test]
    fn panels_in_rows_are_found() {
        let json = r#"{"panels": [
            {"title": "row", "panels": [{"title": "in", "targets": [{"expr": "a"}]}]},
            {"title": "out", "targets": [{"expr": "b"}, {"expr": "c"}]}]}"#;
        let found = queries(json, &[]).unwrap();
        let found: Vec<_> = found.iter().map(|q| (q.panel.as_str(), q.expr.as_str())).collect();
        assert_eq!(found, [("out", "b"), ("out", "c"), ("in", "a")]);
    }

    #[test]
    fn errors_say_what_to_do() {
        assert!(queries("{", &[]).unwrap_err().to_string().contains("export it anew"));
        assert!(queries("{}", &[]).unwrap_err().to_string().contains("pass a dashboard"));
        let json = r#"{"panels": [{"title": "p", "targets": [{"expr": "$x"}]}]}"#;
        assert!(queries(json, &[]).unwrap_err().to_string().contains("pass one"));
    }
}
