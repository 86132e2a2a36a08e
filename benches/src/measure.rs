//! Measures times and allocations. The cases are interleaved, so that other load on the machine affects all alike.

use std::{alloc::System, hint::black_box, time::Instant};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Something to measure. The time includes dropping its result.
pub struct Case<'a> {
    pub name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

/// The median time of one run in nanoseconds, and its allocations.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub nanoseconds: f64,
    pub allocations: usize,
}

impl<'a> Case<'a> {
    pub fn new<T>(name: &'static str, mut run: impl FnMut() -> T + 'a) -> Self {
        Self {
            name,
            run: Box::new(move || {
                black_box(run());
            }),
        }
    }

    fn nanoseconds(&mut self, runs: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..runs {
            (self.run)();
        }
        start.elapsed().as_nanos() as f64 / f64::from(runs)
    }
}

/// Measures each case in `rounds` rounds through all of them.
pub fn measure(cases: &mut [Case<'_>], rounds: usize) -> Vec<Figure> {
    const ROUND_NANOSECONDS: f64 = 500_000.0;

    let runs: Vec<u32> = cases
        .iter_mut()
        .map(|case| (ROUND_NANOSECONDS / case.nanoseconds(10).min(case.nanoseconds(10))) as u32 + 1)
        .collect();
    let mut samples = vec![Vec::with_capacity(rounds); cases.len()];
    for _ in 0..rounds {
        for ((case, runs), samples) in cases.iter_mut().zip(&runs).zip(&mut samples) {
            samples.push(case.nanoseconds(*runs));
        }
    }
    let mut figures = Vec::new();
    for (case, mut samples) in cases.iter_mut().zip(samples) {
        samples.sort_by(f64::total_cmp);
        let region = Region::new(ALLOCATOR);
        (case.run)();
        let change = region.change();
        figures.push(Figure {
            nanoseconds: samples[samples.len() / 2],
            allocations: change.allocations + change.reallocations,
        });
    }
    figures
}
