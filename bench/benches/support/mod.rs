//! Runs our cases under criterion.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};

use loopscope_bench::Failure;
use loopscope_bench::measure::Case;

/// Benches named cases in one group. Criterion's iteration is a batch; its throughput is in
/// operations, so its inverse is the time of one.
pub(crate) fn bench(group: &str, cases: Vec<(&str, Case)>) -> Result<(), Failure> {
    let mut criterion = Criterion::default().configure_from_args();
    let mut benches = criterion.benchmark_group(group);
    benches.sample_size(20);
    for (name, case) in cases {
        bench_one(&mut benches, name, case)?;
    }
    benches.finish();
    criterion.final_summary();
    Ok(())
}

fn bench_one(
    benches: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mut case: Case,
) -> Result<(), Failure> {
    benches.throughput(Throughput::Elements(case()?.operations));
    benches.bench_function(name, |bencher| {
        bencher.iter_custom(|batches| {
            let batch = || case().expect("a case that has run once runs again").time;
            std::iter::repeat_with(batch).take(batches as usize).sum()
        });
    });
    Ok(())
}
