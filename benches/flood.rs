//! What flooding costs: real nodes on loopback, in one process.
//!
//! `cargo bench --bench flood` prints a table. `flood one --lib NAME --mode throughput|latency|crash|hang|idle`
//! makes one measurement and prints it as one JSON object, in the words of the harness that measures
//! the bare references beside it; `docs/PERFORMANCE.md` tells how. Linux only.
// What it measures stands in /proc.
#![cfg_attr(not(unix), no_main)]
#![cfg(unix)]

#[path = "flood/measure.rs"]
mod measure;
#[path = "flood/network.rs"]
mod network;
#[path = "flood/options.rs"]
mod options;
#[path = "flood/overlay.rs"]
mod overlay;
#[path = "flood/system.rs"]
mod system;
#[path = "flood/table.rs"]
mod table;
#[path = "flood/tally.rs"]
mod tally;

use options::Options;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("one") => println!("{}", one(&args[1..])),
        // What cargo says to a benchmark that shall run.
        Some("--bench") => table::print(),
        _ => println!(
            "flood one --lib NAME --mode throughput|latency|crash|hang|idle [--n NODES --m MESSAGES --b BYTES --r PUBLISHERS \
             --window MESSAGES --rate MESSAGES_A_SECOND --secs SECONDS --probe-ms MS --seed NUMBER --with-journal]"
        ),
    }
}

fn one(args: &[String]) -> serde_json::Value {
    let private = system::own_loopback();
    let options = Options::parse(args);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let result = runtime.block_on(measure::run(&options, private));
    runtime.shutdown_background();
    result
}
