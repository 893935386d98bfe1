//! Stopping and waiting: what is in hand ends, what is acknowledged stays, the next run goes on;
//! a pull does not run ahead of settling.

use std::io::Read;
use std::time::Duration;

use super::site::{Site, signal};
use careweave::simulator::Fault;

/// Slow enough that a pull is under way when the signal comes.
const SLOW: Fault = Fault::Slow { by: Duration::from_millis(400) };

#[test]
fn a_pull_that_is_interrupted_goes_on_in_the_next_run() {
    let site = Site::new(&["north", "south"]);
    site.set_faults("north", vec![SLOW]);
    let mut pull = site.start(&["pull"]);
    // The capability check and the first page of some types.
    wait_for(|| site.requests("north") >= 4);
    signal(&pull, "-INT");
    let status = pull.wait().unwrap().code();
    let mut told = String::new();
    pull.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("the next pull goes on from there"), "{told}");
    site.run(&["verify", "--quiet"], 0);

    site.set_faults("north", vec![]);
    let report = site.json(&["pull", "--json"]);
    assert_eq!(report["persons"], 3, "{report:#}");
    assert_eq!(report["ledger"]["balanced"], true, "{report:#}");
    assert_eq!(report["endpoints"][0]["state"], "complete", "{report:#}");
}

#[test]
fn serve_ends_in_good_order_at_the_termination_signal() {
    let site = Site::new(&["north", "south"]);
    site.set_faults("north", vec![SLOW]);
    let mut gateway = site.serve();
    assert_eq!(gateway.root("readyz").0, 200);
    wait_for(|| site.requests("north") >= 3);
    assert_eq!(gateway.terminate(), Some(0));
    drop(gateway);

    site.run(&["verify", "--quiet"], 0);
    site.set_faults("north", vec![]);
    let report = site.json(&["pull", "--json"]);
    assert_eq!(report["persons"], 3, "{report:#}");
    site.run(&["verify", "--quiet"], 0);
}

#[test]
fn a_pull_waits_when_too_much_is_dirty_and_still_ends() {
    let mut site = Site::new(&["north", "south"]);
    site.set("CAREWEAVE_LIMITS__DIRTY_HOMES_MAX", "0");
    // Nobody else settles while this command pulls.
    let report = site.json(&["pull", "--json"]);
    assert_eq!(report["persons"], 3, "{report:#}");

    let fresh = {
        let mut site = Site::new(&["north", "south"]);
        site.set("CAREWEAVE_LIMITS__DIRTY_HOMES_MAX", "0");
        site
    };
    let gateway = fresh.serve();
    let waited = |metrics: &str| {
        let count = metrics.lines().find_map(|line| {
            line.strip_prefix("careweave_back_pressure_wait_seconds_count ")?.parse::<u64>().ok()
        });
        count.unwrap() > 0
    };
    wait_for(|| waited(&gateway.root("metrics").1));
    drop(gateway);
    fresh.run(&["verify", "--quiet"], 0);
}

fn wait_for(mut come: impl FnMut() -> bool) {
    for _ in 0..600 {
        if come() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it did not come about within 30 s");
}
