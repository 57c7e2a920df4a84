//! A dashboard: its variables, its rows, and the JSON that Grafana imports.

use serde_json::{Value, json};

use crate::panel::{Panel, data_source};

/// The beginning of addresses of this repository's files.
pub(crate) const FILES: &str = "https://github.com/loopscope/loopscope/blob/main/";

/// The width of a dashboard in Grafana's columns.
const WIDTH: u64 = 24;

/// A metric that every loop has, however little is seen of it.
const EVERY_LOOP: &str = "loopscope_eventloop_current_turn_seconds";

/// One choice at the top of a dashboard.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Variable {
    /// The values that a label has among the series of a metric.
    Label {
        name: &'static str,
        title: &'static str,
        metric: &'static str,
        /// The matchers of the choices before it.
        scope: &'static str,
        several: Several,
    },
    /// Values that are known.
    Fixed { name: &'static str, title: &'static str, values: Values },
}

/// Values, and whether each is chosen at first; if none is, all are.
type Values = &'static [(&'static str, bool)];

/// How many values can be chosen at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Several {
    /// One.
    One,
    /// One, or all.
    OneOrAll,
    /// Any.
    Any,
}

impl Variable {
    /// A choice among the loops.
    pub(crate) const fn of_loops(
        name: &'static str,
        title: &'static str,
        scope: &'static str,
        several: Several,
    ) -> Variable {
        Variable::Label { name, title, metric: EVERY_LOOP, scope, several }
    }

    fn json(self) -> Value {
        match self {
            Variable::Label { name, title, metric, scope, several } => {
                let braces = if scope.is_empty() { String::new() } else { format!("{{{scope}}}") };
                let query = format!("label_values({metric}{braces}, {name})");
                let mut variable = json!({
                    "name": name,
                    "label": title,
                    "type": "query",
                    "datasource": data_source(),
                    "query": { "qryType": 1, "query": query, "refId": format!("variable-{name}") },
                    "refresh": 2,
                    // The newest process first; names by the alphabet.
                    "sort": if name == "pid" { 4 } else { 1 },
                    "multi": several == Several::Any,
                    "includeAll": several != Several::One,
                    "regex": "",
                    "hide": 0,
                    "skipUrlSync": false,
                    "options": [],
                });
                if several != Several::One {
                    variable["allValue"] = ".*".into();
                    variable["current"] = all(several);
                }
                variable
            }
            Variable::Fixed { name, title, values } => fixed(name, title, values),
        }
    }
}

fn all(several: Several) -> Value {
    if several == Several::Any {
        json!({ "text": ["All"], "value": ["$__all"] })
    } else {
        json!({ "text": "All", "value": "$__all" })
    }
}

fn fixed(name: &str, title: &str, values: Values) -> Value {
    let chosen: Vec<&str> = values.iter().filter(|(_, on)| *on).map(|(value, _)| *value).collect();
    let every = json!({ "text": "All", "value": "$__all", "selected": chosen.is_empty() });
    let options = values
        .iter()
        .map(|(value, selected)| json!({ "text": value, "value": value, "selected": selected }));
    let names: Vec<&str> = values.iter().map(|(value, _)| *value).collect();
    let some = json!({ "text": chosen, "value": chosen });
    json!({
        "name": name,
        "label": title,
        "type": "custom",
        "query": names.join(","),
        "multi": true,
        "includeAll": true,
        "allValue": ".*",
        "hide": 0,
        "skipUrlSync": false,
        "current": if chosen.is_empty() { all(Several::Any) } else { some },
        "options": std::iter::once(every).chain(options).collect::<Vec<_>>(),
    })
}

/// A titled row of panels.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) panels: Vec<Panel>,
}

/// One dashboard.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    /// Its file in `dashboards/`.
    pub(crate) file: &'static str,
    /// What it is called behind `loopscope / `.
    pub(crate) title: &'static str,
    /// The end of its address in Grafana.
    pub(crate) uid: &'static str,
    pub(crate) about: &'static str,
    pub(crate) range: &'static str,
    pub(crate) variables: Vec<Variable>,
    pub(crate) rows: Vec<Row>,
}

impl Board {
    /// The file's text.
    pub(crate) fn text(&self) -> String {
        format!("{:#}\n", self.json())
    }

    fn json(&self) -> Value {
        let variables = self.variables.iter().map(|variable| variable.json());
        let variables: Vec<Value> = std::iter::once(source()).chain(variables).collect();
        json!({
            "title": format!("loopscope / {}", self.title),
            "uid": self.uid,
            "description": self.about,
            "tags": ["loopscope", "event-loop"],
            "schemaVersion": 39,
            "version": 1,
            "editable": true,
            // The same instant is marked on every panel.
            "graphTooltip": 1,
            "refresh": "10s",
            "time": { "from": self.range, "to": "now" },
            "timezone": "browser",
            "weekStart": "",
            "fiscalYearStartMonth": 0,
            "liveNow": false,
            "timepicker": {},
            "annotations": { "list": [own_annotations()] },
            "links": links(),
            "templating": { "list": variables },
            "panels": self.panels(),
        })
    }

    /// Rows from top to bottom, the panels of each from left to right.
    fn panels(&self) -> Vec<Value> {
        let mut panels = Vec::new();
        let mut y = 0;
        for row in &self.rows {
            let place = json!({ "x": 0, "y": y, "w": WIDTH, "h": 1 });
            panels.push(json!({
                "type": "row", "title": row.title, "collapsed": false, "gridPos": place,
                "panels": [],
            }));
            y += 1;
            let (mut x, mut below) = (0, y);
            for panel in &row.panels {
                let even = WIDTH / u64::try_from(row.panels.len()).expect("few panels");
                let width = if panel.width == 0 { even } else { panel.width };
                if x + width > WIDTH {
                    (x, y) = (0, below);
                }
                let mut json = panel.json();
                json["gridPos"] = json!({ "x": x, "y": y, "w": width, "h": panel.height });
                panels.push(json);
                x += width;
                below = below.max(y + panel.height);
            }
            y = below;
        }
        for (index, panel) in panels.iter_mut().enumerate() {
            panel["id"] = (index + 1).into();
        }
        panels
    }
}

/// The choice of the data source, which every dashboard has.
fn source() -> Value {
    json!({
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "regex": "",
        "multi": false,
        "includeAll": false,
        "hide": 0,
        "skipUrlSync": false,
        "options": [],
    })
}

fn own_annotations() -> Value {
    json!({
        "builtIn": 1,
        "datasource": { "type": "grafana", "uid": "-- Grafana --" },
        "enable": true,
        "hide": true,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    })
}

fn links() -> Value {
    let link = |title: &str, tooltip: &str, file: &str| {
        json!({
            "type": "link", "title": title, "tags": [], "asDropdown": false, "includeVars": false,
            "keepTime": false, "targetBlank": true, "icon": "doc", "tooltip": tooltip,
            "url": format!("{FILES}{file}"),
        })
    };
    json!([
        {
            "type": "dashboards", "title": "loopscope", "tags": ["loopscope"], "asDropdown": false,
            "includeVars": true, "keepTime": true, "targetBlank": false, "icon": "external link",
            "tooltip": "", "url": "",
        },
        link("Metrics", "What each metric tells", "exporters/METRICS.md"),
        link("Runbooks", "What to do about an alert", "dashboards/README.md#alerts"),
    ])
}
