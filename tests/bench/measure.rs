//! Wall time, peak memory and instructions of a command.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs it to its end, which must be a good one. Its output is returned.
pub fn finish(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// From start to end, its output thrown away.
pub fn wall_time(command: &mut Command) -> Duration {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let status = command.status().unwrap();
    let taken = started.elapsed();
    assert!(status.success(), "{command:?} ended with {status}");
    taken
}

/// The middle one, in milliseconds.
pub fn median_ms(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

/// The median wall time in milliseconds, and in words how it came about. The best one tells how much
/// of it is the machine's other work.
pub fn median_of(turns: usize, mut command: impl FnMut() -> Command) -> (f64, String) {
    let mut times: Vec<Duration> = (0..turns).map(|_| wall_time(&mut command())).collect();
    let median = median_ms(&mut times);
    let best = times[0].as_secs_f64() * 1000.0;
    (median, format!("median of {turns}, best {best:.2} ms"))
}

/// The most memory it held, in MiB, as the kernel counts it. Read over and over while it runs: the
/// mark only rises, so the last reading is the peak but for what the last moments add.
pub fn peak_memory_mib(command: &mut Command) -> f64 {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut peak_kib = 0;
    while child.try_wait().unwrap().is_none() {
        peak_kib = high_water_kib(&child).unwrap_or(0).max(peak_kib);
        std::thread::sleep(Duration::from_micros(200));
    }
    f64::from(peak_kib) / 1024.0
}

fn high_water_kib(child: &Child) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Millions of instructions, counted by callgrind; `None` where that is not installed.
pub fn instructions(command: &Command) -> Option<f64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(command.get_program()).args(command.get_args());
    let path = std::env::var_os("PATH").unwrap_or_default();
    valgrind.env_clear().env("PATH", path);
    let output = valgrind.output().ok()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{valgrind:?}: {told}");
    let line = told.lines().find(|line| line.contains("Collected :"))?;
    let count: f64 = line.rsplit(' ').next()?.parse().ok()?;
    Some(count / 1e6)
}

/// What two commands cost, turn by turn: the median instructions of each where they can be counted,
/// else the median wall times, and the word for which of the two it is.
pub fn compare(turns: usize, first: &Command, second: &Command) -> (f64, f64, &'static str) {
    let mut counted = (Vec::new(), Vec::new());
    for _ in 0..turns.min(3) {
        match (instructions(first), instructions(second)) {
            (Some(a), Some(b)) => {
                counted.0.push(a);
                counted.1.push(b);
            }
            _ => break,
        }
    }
    if let (Some(a), Some(b)) = (middle(&mut counted.0), middle(&mut counted.1)) {
        return (a, b, "million instructions");
    }
    let (a, b) = wall_times(turns, || again(first), || again(second));
    (a, b, "ms")
}

fn middle(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

/// The median wall times of two commands, run turn by turn so that both meet the same noise.
pub fn wall_times(
    turns: usize,
    mut first: impl FnMut() -> Command,
    mut second: impl FnMut() -> Command,
) -> (f64, f64) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        a.push(wall_time(&mut first()));
        b.push(wall_time(&mut second()));
    }
    (median_ms(&mut a), median_ms(&mut b))
}

/// The same command once more. None here has an environment.
pub fn again(command: &Command) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args()).env_clear();
    copy
}
