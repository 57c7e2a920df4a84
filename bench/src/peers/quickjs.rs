//! The JavaScript engine that scripts run in, by itself: a loop over its jobs and nothing else.

use rquickjs::{Context, Function, Runtime};

use crate::Failure;
use crate::cases::javascript::Kind;
use crate::measure::{Batch, Case};

/// So many jobs: an operation is a job. The engine has neither ticks nor timers.
///
/// # Errors
/// When there is no memory for an engine.
pub fn jobs(kind: Kind, operations: u64) -> Result<Case, Failure> {
    let context = Context::full(&Runtime::new()?)?;
    let source = format!("(function () {{ {} return batch; }})()", kind.source(operations));
    let batch = context.with(|ctx| -> rquickjs::Result<_> {
        let batch: Function<'_> = ctx.eval(source)?;
        ctx.globals().set("batch", batch)
    });
    batch?;
    Ok(Box::new(move || {
        context.with(|ctx| {
            let batch: Function<'_> = ctx.globals().get("batch")?;
            let done = Function::new(ctx.clone(), || {})?;
            Batch::try_timed(operations, || -> rquickjs::Result<()> {
                batch.call::<_, rquickjs::Value<'_>>((done,))?;
                while ctx.execute_pending_job() {}
                Ok(())
            })
        })
    }))
}
