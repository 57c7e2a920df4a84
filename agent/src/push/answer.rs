//! What a receiver says to a request that it has answered with success.

use axum::body::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;
use serde_json::Value;

use super::post::{PushError, Signal};

/// What was made of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// All of it was taken.
    Whole,
    /// So many points or records were not taken, and why.
    Partly(u64, String),
}

/// Judges the body of an answer. Nothing at all is the message in which nothing is refused; JSON is
/// taken, as some receivers answer everybody with it.
pub(super) fn judge(signal: Signal, answer: &Bytes) -> Result<Taken, PushError> {
    let refused = match answer.trim_ascii_start().first() {
        Some(b'{') => json(signal, answer),
        _ => protobuf(signal, answer),
    };
    let (count, why) = refused.ok_or(PushError::Garbage)?;
    Ok(match u64::try_from(count) {
        Ok(count) if count > 0 => Taken::Partly(count, why),
        _ => Taken::Whole,
    })
}

fn protobuf(signal: Signal, answer: &Bytes) -> Option<(i64, String)> {
    let answer = answer.clone();
    Some(
        match signal {
            Signal::Metrics => {
                let partial = ExportMetricsServiceResponse::decode(answer).ok()?.partial_success;
                partial.map(|partial| (partial.rejected_data_points, partial.error_message))
            }
            Signal::Logs => {
                let partial = ExportLogsServiceResponse::decode(answer).ok()?.partial_success;
                partial.map(|partial| (partial.rejected_log_records, partial.error_message))
            }
        }
        .unwrap_or_default(),
    )
}

fn json(signal: Signal, answer: &Bytes) -> Option<(i64, String)> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let key = match signal {
        Signal::Metrics => "rejectedDataPoints",
        Signal::Logs => "rejectedLogRecords",
    };
    let partial = &answer["partialSuccess"];
    // Numbers of 64 bits are strings in protobuf's JSON.
    let count = partial[key].as_i64().or_else(|| partial[key].as_str()?.parse().ok());
    let why = partial["errorMessage"].as_str().unwrap_or_default();
    Some((count.unwrap_or(0), why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsPartialSuccess;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;

    #[test]
    fn what_is_refused_is_counted() {
        let points = |rejected| {
            let partial = ExportMetricsPartialSuccess {
                rejected_data_points: rejected,
                error_message: "too old".to_owned(),
            };
            let response = ExportMetricsServiceResponse { partial_success: Some(partial) };
            judge(Signal::Metrics, &Bytes::from(response.encode_to_vec()))
        };
        assert_eq!(points(0), Ok(Taken::Whole));
        assert_eq!(points(-1), Ok(Taken::Whole));
        assert_eq!(points(3), Ok(Taken::Partly(3, "too old".to_owned())));
        let partial = ExportLogsPartialSuccess { rejected_log_records: 2, ..Default::default() };
        let response = ExportLogsServiceResponse { partial_success: Some(partial) };
        let records = judge(Signal::Logs, &Bytes::from(response.encode_to_vec()));
        assert_eq!(records, Ok(Taken::Partly(2, String::new())));
    }

    #[test]
    fn an_answer_in_json_is_understood() {
        let judge = |text: &'static str| judge(Signal::Logs, &Bytes::from_static(text.as_bytes()));
        assert_eq!(judge("{}"), Ok(Taken::Whole));
        assert_eq!(judge("{\"partialSuccess\":{}}"), Ok(Taken::Whole));
        let refused = judge(
            " {\"partialSuccess\":{\"rejectedLogRecords\":\"5\",\"errorMessage\":\"full\"}}\n",
        );
        assert_eq!(refused, Ok(Taken::Partly(5, "full".to_owned())));
        assert_eq!(judge("{\"partialSuccess\":"), Err(PushError::Garbage));
    }

    #[test]
    fn what_is_no_message_is_garbage() {
        for text in ["<!doctype html><p>Welcome", "OK", "\u{ff}\u{ff}"] {
            let answer = Bytes::from_static(text.as_bytes());
            assert_eq!(judge(Signal::Metrics, &answer), Err(PushError::Garbage), "{text}");
        }
        assert_eq!(judge(Signal::Metrics, &Bytes::new()), Ok(Taken::Whole));
    }
}
