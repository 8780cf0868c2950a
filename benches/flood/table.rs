//! All measurements of our own, a few times each, as a table.

use std::process::Command;

use serde_json::Value;

const REPETITIONS: usize = 3;

pub(crate) fn print() {
    println!("| what | median of {REPETITIONS} |");
    println!("|---|---|");
    for (what, args) in [
        ("20 nodes, 256 bytes", "--n 20 --m 2000 --b 256 --window 128"),
        ("100 nodes, 256 bytes", "--n 100 --m 500 --b 256 --window 128"),
        ("20 nodes, 16 KiB", "--n 20 --m 500 --b 16384 --window 32"),
        ("20 nodes, 256 bytes, journal and model", "--n 20 --m 2000 --b 256 --window 128 --with-journal"),
    ] {
        let runs = run(&format!("--mode throughput --secs 30 {args}"));
        let ratio = runs.iter().map(|run| run["delivery_ratio"].as_f64().unwrap_or(0.0)).fold(f64::MAX, f64::min);
        let cpu = median(&runs, "cpu_us_per_delivery");
        println!("| {what} | {cpu:.2} µs of CPU a delivery, delivered {ratio} |");
    }
    let runs = run("--mode latency --secs 6 --n 20 --b 256");
    let ms = |key| median(&runs, key) / 1e3;
    println!("| 50 messages a second, 20 nodes | p50 {:.2} ms, p99 {:.2} ms |", ms("lat_p50_us"), ms("lat_p99_us"));
    for (what, args) in [("13 s", "--probe-ms 13000"), ("2 s", "--probe-ms 2000")] {
        let runs = run(&format!("--mode idle --secs 26 --n 100 {args}"));
        let (cpu, rss) = (median(&runs, "idle_cpu_us_per_s_per_node"), median(&runs, "rss_settled_kib_per_node"));
        println!(
            "| idle, 100 nodes, probes every {what} | {cpu:.1} µs of CPU a second and node, {rss:.0} KiB a node |"
        );
    }
    for (what, mode) in [("a crash", "crash"), ("a hang", "hang")] {
        let runs = run(&format!("--mode {mode} --secs 20 --n 20"));
        println!("| {what} is noticed by all neighbors after | {:.1} ms |", median(&runs, "detect_all_s") * 1e3);
    }
}

/// Each in a process of its own.
fn run(args: &str) -> Vec<Value> {
    let me = std::env::current_exe().unwrap();
    let once = || {
        let ran = Command::new(&me).arg("one").args(args.split_whitespace()).output().unwrap();
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        serde_json::from_str(text.lines().last().unwrap_or(""))
            .unwrap_or_else(|error| panic!("{args}: {error}: {text}"))
    };
    (0..REPETITIONS).map(|_| once()).collect()
}

fn median(runs: &[Value], key: &str) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(|run| run[key].as_f64().unwrap_or(f64::NAN)).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
