//! What else moved the figures: the load of the machine, how long its disk takes to flush, what a process holds in memory.
//! And the two hogs that take the processor away on purpose.

use crate::load::now;
use anyhow::{Context as _, Result};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Flushes that are measured.
const FLUSHES: usize = 200;
const PAGE: [u8; 4_096] = [7; 4_096];
/// What Linux counts processor time in, for whoever reads it.
const TICK: Duration = Duration::from_millis(10);

/// How long a flush takes, milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Flush {
    /// Half of them took no longer.
    pub p50: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
}

/// Appends a page to a file of this folder and flushes it, again and again.
pub fn flush(folder: &Path) -> Result<Flush> {
    let path = folder.join("flush");
    let mut file = File::create(&path)?;
    let mut millis = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let asked_at = now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        millis.push(asked_at.elapsed().as_secs_f64() * 1_000.0);
    }
    fs::remove_file(path)?;
    millis.sort_by(f64::total_cmp);
    Ok(Flush { p50: millis[FLUSHES / 2], p99: millis[FLUSHES * 99 / 100] })
}

/// The load of the last minute.
pub fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    text.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .context("/proc/loadavg has another form")
}

/// How many processors, which, and how much memory.
pub fn describe() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = memory.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    let model = model.map_or("unknown processor", |(_, model)| model);
    format!("{cpus} x {model}, {} GB of memory", kilobytes / 1_000_000)
}

/// Memory of a process that no file stands behind, megabytes.
pub fn anonymous_megabytes(process: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("no RssAnon")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1_000.0)
}

/// Processor time that a process has had, to a hundredth of a second.
pub fn processor_time(process: u32) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in brackets, may have blanks in it.
    let (_, rest) = text.rsplit_once(')').context("/proc/…/stat has another form")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|word| word.parse::<u64>().ok());
    let ticks = field(11).zip(field(12)).map(|(user, system)| user + system);
    Ok(TICK * u32::try_from(ticks.context("/proc/…/stat has another form")?)?)
}

/// Threads that do nothing but use the processor, until this is dropped.
pub struct Hogs {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Hogs {
    /// Starts so many.
    pub fn start(count: usize) -> Hogs {
        let stop = Arc::new(AtomicBool::new(false));
        let hog = |_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut number = 1_u64;
                while !stop.load(Ordering::Relaxed) {
                    number = black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                }
            })
        };
        let threads = (0..count).map(hog).collect();
        Hogs { stop, threads }
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A hog cannot panic.
            thread.join().ok();
        }
    }
}
