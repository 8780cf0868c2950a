//! Questions whose answers are known, when causes mix.
#[expect(dead_code, reason = "the tests of the protocol use the rest")]
mod virtual_time;

use gossipctl::engine::Settings;
use gossipctl::event::Event;
use gossipctl::experiment::run::{Experiment, Watcher};
use gossipctl::model::Model;
use gossipctl::model::cause::{questions, reason};
use gossipctl::scenario::Script;
use std::time::Duration;

struct Fold {
    model: Model,
    over: bool,
}
impl Watcher for Fold {
    fn goes_on(&mut self, _: Duration) -> bool {
        true
    }
    fn event(&mut self, event: &Event) {
        self.over |= event.kind.is_leaving();
        if !self.over {
            self.model.apply(event);
        }
    }
}

#[test]
fn look() {
    for lines in [
        "5s partition p7\n5500ms say p1 x\n9s kill p7",
        "5s delay p6 30s\n5500ms say p1 x\n12s say p2 y",
        "5s cut p7 p8\n7s hang p7\n15s say p1 x",
        "5s loss p7 100%\n9s kill p7\n11s say p1 x",
        "5s delay p7 1ms\n5s loss p7 95%\n6s say p1 x\n20s say p1 y",
        "5s partition p1 p2\n5s partition p2 p3\n6s say p1 x",
        "5s say p1 x\n5s kill p1\n7s say p2 y",
        "5s delay p6 30s\n8s say p1 x",
        "5s slow p3 1/s\n6s say p1 x\n20s say p1 y",
        "5s hang p8\n6s cut p7 p1\n6s cut p7 p2\n6s cut p7 p3\n6s cut p7 p4\n6s cut p7 p5\n6s cut p7 p6\n7s say p1 x\n8s say p2 y",
    ] {
        let script =
            Script::parse(&format!("lab 2 8\nset messages 0\nset liveness-interval 1s\n{lines}\n25s end\n")).unwrap();
        let mut peer = virtual_time::peers_of(gossipctl::proto::message::Dialect::Framed);
        (peer.messages, peer.liveness_interval) = (Some(0), Duration::from_secs(1));
        let settings = Settings::of_peers(peer, 5);
        let mut fold = Fold { model: Model::new(), over: false };
        Experiment::of_script(script, settings).play(&mut fold).unwrap();
        println!("=== {lines}");
        use gossipctl::model::why::{why_dead, why_link, why_not};
        let model = &fold.model;
        let mut dead: Vec<_> = model.deaths().cases().iter().map(|(_, case)| case.dead).collect();
        dead.sort();
        dead.dedup();
        for dead in dead {
            println!("   {}", why_dead(model, dead, 0).verdict);
        }
        for (_, rumor) in model.rumors().ring().iter() {
            for node in rumor.lacking(model.nodes(), gossipctl::model::rumor::Counting::HadTime) {
                println!("   {}", why_not(model, node.addr, rumor.id, 0).verdict);
            }
        }
        for q in questions(model) {
            if let (
                gossipctl::model::cause::Question::LinkEnd { node, peer, end, .. },
                gossipctl::model::cause::Reason::NotCertain(_),
            ) = (q, reason(model, &q))
            {
                println!("   uncertain {end:?}: {}", why_link(model, node, peer, 0).verdict);
            }
        }
    }
}
