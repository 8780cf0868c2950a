//! Writes the nodes' log files in a session that is not recorded, on a thread of its own.

use std::path::Path;
use std::thread::JoinHandle;

use crate::feed::Feed;
use crate::session::node_logs::NodeLogs;

/// Writes log files until all nodes are gone; join the thread to have the last lines on disk.
/// Errors are reported through `notify`.
pub(crate) fn keep_logs(
    feed: Feed,
    dir: &Path,
    utc_offset_s: i32,
    notify: impl Fn(String) + Clone + Send + 'static,
) -> Option<JoinHandle<()>> {
    let tell = notify.clone();
    let begun = NodeLogs::open(dir, utc_offset_s).map_err(|error| error.to_string()).and_then(|logs| {
        let thread = std::thread::Builder::new().name("logs".to_owned());
        thread.spawn(move || keep(feed, logs, &tell)).map_err(|error| error.to_string())
    });
    begun.map_err(|why| notify(format!("no log files: {why}"))).ok()
}

fn keep(mut feed: Feed, mut logs: NodeLogs, tell: &impl Fn(String)) {
    while let Some(delivery) = feed.blocking_recv() {
        logs.skip(delivery.skipped);
        let failed = delivery.batch.iter().filter_map(|event| logs.write(event).err());
        failed.for_each(|error| tell(error.to_string()));
        // Many small batches in a row are one write.
        if feed.waiting() == 0 {
            logs.flush().iter().for_each(|error| tell(error.to_string()));
        }
        logs.take_note().into_iter().for_each(tell);
    }
    logs.skip(feed.take_skipped());
    logs.end();
    logs.flush().iter().for_each(|error| tell(error.to_string()));
}
