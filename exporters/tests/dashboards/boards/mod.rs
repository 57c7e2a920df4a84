//! The four dashboards, each a list of rows of panels.

pub(crate) mod agent;
pub(crate) mod fleet;
pub(crate) mod one_loop;
pub(crate) mod stalls;

use crate::board::Board;

/// Where a click on a series that has the labels of one loop leads.
pub(crate) const TO_LOOP: &str = "/d/loopscope-loop?${datasource:queryparam}\
     &var-instance=${__field.labels.instance}&var-target=${__field.labels.target}\
     &var-pid=${__field.labels.pid}&var-thread=${__field.labels.thread}&${__url_time_range}";

/// The same from a row of a table.
pub(crate) const ROW_TO_LOOP: &str = "/d/loopscope-loop?${datasource:queryparam}\
     &var-instance=${__data.fields.instance}&var-target=${__data.fields.target}\
     &var-pid=${__data.fields.pid}&var-thread=${__data.fields.thread}&${__url_time_range}";

/// Where a click on a series of a service leads.
pub(crate) const TO_STALLS: &str = "/d/loopscope-stalls?${datasource:queryparam}\
     &${instance:queryparam}&var-target=${__field.labels.target}&${__url_time_range}";

pub(crate) fn all() -> Vec<Board> {
    vec![fleet::board(), one_loop::board(), stalls::board(), agent::board()]
}
