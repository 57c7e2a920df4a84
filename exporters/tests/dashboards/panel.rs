//! Panels: what they ask, and the JSON that Grafana wants for it.

use serde_json::{Value, json};

use crate::look::{self, Colours, Steps};

/// What only probes time, which the daemon sets for short windows.
const TIMED_BY_PROBES: [&str; 7] = [
    "loopscope_eventloop_turn_duration_seconds",
    "loopscope_eventloop_arrival_delay_seconds",
    "loopscope_eventloop_phase_duration_seconds",
    "loopscope_eventloop_poll_wait_seconds",
    "loopscope_eventloop_timer_lateness_seconds",
    "loopscope_eventloop_drain_",
    "loopscope_gc_pause_seconds",
];

/// What is to be known of those figures.
const IN_WINDOWS: &str = " The daemon sees it in its windows after stalls alone; how much of the \
                          time that is, Time by tier on the dashboard Loop tells.";

/// How a figure is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// A time.
    Seconds,
    /// A share, of 1.
    Share,
    /// A number of things.
    Count,
    /// Things a second.
    Pace,
    /// Memory.
    Bytes,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::Share => "percentunit",
            Unit::Count => "short",
            Unit::Pace => "ops",
            Unit::Bytes => "bytes",
        }
    }
}

/// One column of figures in a table.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) expr: String,
    pub(crate) unit: Unit,
    pub(crate) steps: Steps,
}

#[derive(Clone, Debug)]
enum Kind {
    /// One figure, as it is now.
    Stat { name: bool },
    /// Curves over time.
    Lines,
    /// Areas on top of one another.
    Areas,
    /// Bars on top of one another: for what happens now and then.
    Bars,
    /// A histogram over time.
    Heatmap,
    /// A row a loop or service; labels first, then figures.
    Table { labels: &'static [&'static str], columns: Vec<Column> },
    /// Text in Markdown.
    Text(String),
}

/// One panel.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    kind: Kind,
    title: &'static str,
    about: &'static str,
    unit: Unit,
    queries: Vec<(String, &'static str)>,
    steps: Steps,
    colours: Colours,
    max: Option<f64>,
    none: &'static str,
    link: Option<(&'static str, &'static str)>,
    repeat: Option<&'static str>,
    /// Of 24 columns, and in rows; 0: as the others in the row.
    pub(crate) width: u64,
    pub(crate) height: u64,
}

impl Panel {
    fn new(kind: Kind, title: &'static str, about: &'static str, unit: Unit) -> Panel {
        let height = if let Kind::Stat { .. } = kind { 4 } else { 8 };
        Panel {
            kind,
            title,
            about,
            unit,
            queries: Vec::new(),
            steps: look::PLAIN,
            colours: &[],
            max: None,
            none: "not seen",
            link: None,
            repeat: None,
            width: 0,
            height,
        }
    }

    pub(crate) fn stat(title: &'static str, about: &'static str, unit: Unit) -> Panel {
        Panel::new(Kind::Stat { name: false }, title, about, unit)
    }

    /// A stat that shows the name of its series, too.
    pub(crate) fn named_stat(title: &'static str, about: &'static str, unit: Unit) -> Panel {
        Panel::new(Kind::Stat { name: true }, title, about, unit)
    }

    pub(crate) fn lines(title: &'static str, about: &'static str, unit: Unit) -> Panel {
        Panel::new(Kind::Lines, title, about, unit)
    }

    pub(crate) fn areas(title: &'static str, about: &'static str, unit: Unit) -> Panel {
        Panel::new(Kind::Areas, title, about, unit)
    }

    pub(crate) fn bars(title: &'static str, about: &'static str, unit: Unit) -> Panel {
        Panel::new(Kind::Bars, title, about, unit)
    }

    pub(crate) fn heatmap(title: &'static str, about: &'static str, buckets: String) -> Panel {
        let panel = Panel::new(Kind::Heatmap, title, about, Unit::Seconds);
        panel.query(buckets, "{{le}}")
    }

    /// The first column of figures sorts it, the largest on top.
    pub(crate) fn table(
        title: &'static str,
        about: &'static str,
        labels: &'static [&'static str],
        columns: Vec<Column>,
    ) -> Panel {
        let exprs: Vec<(String, &str)> =
            columns.iter().map(|column| (column.expr.clone(), column.title)).collect();
        let kind = Kind::Table { labels, columns };
        Panel { queries: exprs, ..Panel::new(kind, title, about, Unit::Count) }
    }

    pub(crate) fn text(title: &'static str, about: &'static str, markdown: &str) -> Panel {
        Panel::new(Kind::Text(markdown.to_owned()), title, about, Unit::Count)
    }

    /// What it tells, for the reader.
    pub(crate) fn about(&self) -> String {
        let is_timed =
            |(expr, _): &(String, &str)| TIMED_BY_PROBES.iter().any(|name| expr.contains(name));
        let more = if self.queries.iter().any(is_timed) { IN_WINDOWS } else { "" };
        format!("{}{more}", self.about)
    }

    pub(crate) fn query(mut self, expr: String, legend: &'static str) -> Panel {
        self.queries.push((expr, legend));
        self
    }

    /// Two queries of which one has figures.
    pub(crate) fn either(self, exprs: [String; 2], legend: &'static str) -> Panel {
        exprs.into_iter().fold(self, |panel, expr| panel.query(expr, legend))
    }

    pub(crate) fn steps(self, steps: Steps) -> Panel {
        Panel { steps, ..self }
    }

    pub(crate) fn coloured(self, colours: Colours) -> Panel {
        Panel { colours, ..self }
    }

    pub(crate) fn max(self, max: f64) -> Panel {
        Panel { max: Some(max), ..self }
    }

    /// What it says where there is no series.
    pub(crate) fn none(self, none: &'static str) -> Panel {
        Panel { none, ..self }
    }

    /// Where a click on a series or row leads.
    pub(crate) fn link(self, title: &'static str, url: &'static str) -> Panel {
        Panel { link: Some((title, url)), ..self }
    }

    /// One panel for each value of a variable.
    pub(crate) fn repeat(self, variable: &'static str) -> Panel {
        Panel { repeat: Some(variable), ..self }
    }

    pub(crate) fn wide(self, width: u64) -> Panel {
        Panel { width, ..self }
    }

    pub(crate) fn high(self, height: u64) -> Panel {
        Panel { height, ..self }
    }

    /// The panel in JSON, without its place.
    pub(crate) fn json(&self) -> Value {
        let mut panel = json!({
            "type": self.type_name(),
            "title": self.title,
            "description": self.about(),
            "options": self.options(),
            "fieldConfig": { "defaults": self.defaults(), "overrides": self.overrides() },
        });
        if !matches!(self.kind, Kind::Text(_)) {
            panel["datasource"] = data_source();
            panel["targets"] = self.targets();
        }
        if let Kind::Table { labels, columns } = &self.kind {
            panel["transformations"] = transformations(labels, columns);
        }
        if let Some(variable) = self.repeat {
            panel["repeat"] = variable.into();
            panel["repeatDirection"] = "h".into();
            panel["maxPerRow"] = 4.into();
        }
        panel
    }

    fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Stat { .. } => "stat",
            Kind::Lines | Kind::Areas | Kind::Bars => "timeseries",
            Kind::Heatmap => "heatmap",
            Kind::Table { .. } => "table",
            Kind::Text(_) => "text",
        }
    }

    fn targets(&self) -> Value {
        let now = matches!(self.kind, Kind::Stat { .. } | Kind::Table { .. });
        let format = match self.kind {
            Kind::Heatmap => "heatmap",
            Kind::Table { .. } => "table",
            _ => "time_series",
        };
        let target = |(index, (expr, legend)): (usize, &(String, &str))| {
            json!({
                "datasource": data_source(),
                "editorMode": "code",
                "expr": expr,
                "format": format,
                "instant": now,
                "range": !now,
                "legendFormat": legend,
                "refId": reference(index),
            })
        };
        self.queries.iter().enumerate().map(target).collect()
    }

    fn defaults(&self) -> Value {
        if let Kind::Text(_) = self.kind {
            return json!({});
        }
        let mut defaults = json!({
            "unit": self.unit.name(),
            "custom": self.custom(),
            "mappings": [],
            "noValue": self.none,
            "thresholds": look::thresholds(self.steps),
            "color": { "mode": self.color() },
            "min": 0,
        });
        if let Kind::Table { .. } = self.kind {
            defaults.as_object_mut().expect("an object").remove("min");
        }
        if let Some(max) = self.max {
            defaults["max"] = max.into();
        }
        if let Some((title, url)) = self.link {
            defaults["links"] = json!([{ "title": title, "url": url, "targetBlank": false }]);
        }
        defaults
    }

    fn color(&self) -> &'static str {
        let by_value = matches!(self.kind, Kind::Stat { .. } | Kind::Table { .. });
        if by_value { "thresholds" } else { "palette-classic-by-name" }
    }

    fn custom(&self) -> Value {
        let (style, fill, stacking) = match self.kind {
            Kind::Lines => ("line", 8, "none"),
            Kind::Areas => ("line", 40, "normal"),
            Kind::Bars => ("bars", 80, "normal"),
            Kind::Heatmap => {
                return json!({
                    "hideFrom": { "legend": false, "tooltip": false, "viz": false },
                    "scaleDistribution": { "type": "linear" },
                });
            }
            Kind::Table { .. } => return json!({ "align": "auto", "filterable": true }),
            Kind::Stat { .. } | Kind::Text(_) => return json!({}),
        };
        let is_marked = !self.steps.is_empty() && stacking == "none";
        json!({
            "drawStyle": style,
            "lineInterpolation": "linear",
            "lineWidth": if style == "bars" { 0 } else { 1 },
            "fillOpacity": fill,
            // A point between two gaps is no line, and would not be seen.
            "showPoints": "auto",
            "pointSize": 4,
            "spanNulls": false,
            "axisPlacement": "auto",
            "axisLabel": "",
            "stacking": { "group": "A", "mode": stacking },
            "scaleDistribution": { "type": "linear" },
            "thresholdsStyle": { "mode": if is_marked { "dashed" } else { "off" } },
        })
    }

    fn overrides(&self) -> Vec<Value> {
        let mut overrides = look::coloured(self.colours);
        if self.queries.iter().any(|(_, legend)| legend.ends_with("p50")) {
            overrides.push(look::medians_dashed());
        }
        if let Kind::Table { columns, .. } = &self.kind {
            overrides.extend(columns.iter().map(|column| {
                look::named(
                    column.title,
                    &[
                        ("unit", column.unit.name().into()),
                        ("thresholds", look::thresholds(column.steps)),
                        ("custom.cellOptions", cell(column.steps)),
                    ],
                )
            }));
        }
        overrides
    }

    fn options(&self) -> Value {
        match &self.kind {
            Kind::Stat { name } => stat(*name),
            Kind::Lines | Kind::Areas | Kind::Bars => json!({
                "legend": {
                    "calcs": ["lastNotNull", "max"],
                    "displayMode": "table",
                    "placement": "bottom",
                    "showLegend": true,
                },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Kind::Heatmap => heatmap(),
            Kind::Table { columns, .. } => json!({
                "showHeader": true,
                "cellHeight": "sm",
                "sortBy": [{ "displayName": columns[0].title, "desc": true }],
            }),
            Kind::Text(markdown) => json!({ "mode": "markdown", "content": markdown }),
        }
    }
}

pub(crate) fn data_source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// `A`, `B` and so on.
fn reference(index: usize) -> String {
    let letter = u8::try_from(index).expect("a panel has few queries");
    char::from(b'A' + letter).to_string()
}

fn cell(steps: Steps) -> Value {
    json!({ "type": if steps.is_empty() { "auto" } else { "color-text" } })
}

fn stat(name: bool) -> Value {
    json!({
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": if name { "value_and_name" } else { "value" },
        "wideLayout": true,
        "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
    })
}

fn heatmap() -> Value {
    json!({
        "calculate": false,
        "cellGap": 1,
        "cellValues": { "unit": "short" },
        "yAxis": { "unit": "s", "axisPlacement": "left", "reverse": false },
        "rowsFrame": { "layout": "auto" },
        "filterValues": { "le": 1e-9 },
        "color": {
            "mode": "scheme",
            "scheme": "Oranges",
            "steps": 64,
            "exponent": 0.5,
            "scale": "exponential",
            "fill": "dark-orange",
            "reverse": false,
        },
        "legend": { "show": true },
        "tooltip": { "mode": "single", "showColorScale": false, "yHistogram": true },
        "exemplars": { "color": "rgba(255,0,255,0.7)" },
        "showValue": "never",
    })
}

/// Makes one row of what the queries tell of the same labels.
fn transformations(labels: &[&str], columns: &[Column]) -> Value {
    let mut order = serde_json::Map::new();
    for (place, label) in labels.iter().enumerate() {
        order.insert((*label).to_owned(), place.into());
    }
    let mut titles = serde_json::Map::new();
    for (index, column) in columns.iter().enumerate() {
        // A single query's column has no letter.
        let one = columns.len() == 1;
        let name = if one { "Value".to_owned() } else { format!("Value #{}", reference(index)) };
        order.insert(name.clone(), (labels.len() + index).into());
        titles.insert(name, column.title.into());
    }
    json!([
        { "id": "merge", "options": {} },
        {
            "id": "organize",
            "options": {
                "excludeByName": { "Time": true },
                "indexByName": order,
                "renameByName": titles,
            },
        },
    ])
}
