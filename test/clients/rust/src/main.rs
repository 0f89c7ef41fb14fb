//! Runs two ZooKeeper clients of Rust against a server, and prints TAP: zookeeper-client, which is asynchronous, and
//! zookeeper, which is not.

mod client;
mod leader;
mod sync_client;

use std::env;
use std::fmt::Debug;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// Bounds every wait for something that has to happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A test is a function that panics when it fails.
pub type Test = (&'static str, fn());

/// The server itself.
pub fn direct() -> String {
    env::var("ZK_ADDR").expect("ZK_ADDR names the server")
}

/// The proxy before the server.
pub fn proxied() -> String {
    env::var("ZK_PROXY").expect("ZK_PROXY names the proxy")
}

/// Tells the proxy to "drop", "cut" or "open" its connections; with an ensemble, "restart" kills the leader and starts it
/// again.
pub fn order(what: &str) {
    let control = env::var("ZK_CONTROL").expect("ZK_CONTROL names where the proxy takes orders");
    let mut stream = TcpStream::connect(control).expect("the proxy is there");
    writeln!(stream, "{what}").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert_eq!(answer, "ok\n");
}

/// Waits until a condition holds.
pub fn eventually(what: &str, mut ok: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !ok() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The error of a result that has to be one.
pub fn refused<T: Debug, E>(result: Result<T, E>) -> E {
    match result {
        Ok(v) => panic!("got {v:?}, want an error"),
        Err(err) => err,
    }
}

static WHY: Mutex<String> = Mutex::new(String::new());

fn main() {
    panic::set_hook(Box::new(|info| *WHY.lock().unwrap() = info.to_string()));
    let mut bad = 0;
    let leaders = if leader::all().is_some() { leader::TESTS } else { &[] };
    for (group, tests) in
        [("zookeeper-client", client::TESTS), ("zookeeper", sync_client::TESTS), ("leaders die", leaders)]
    {
        for (name, test) in tests {
            let result = panic::catch_unwind(AssertUnwindSafe(|| {
                order("open"); // whatever the test before it left
                test();
            }));
            if result.is_ok() {
                println!("ok - {group}: {name}");
            } else {
                bad = 1;
                println!("not ok - {group}: {name}");
                for line in WHY.lock().unwrap().lines() {
                    println!("# {line}");
                }
            }
        }
    }
    process::exit(bad); // threads of clients may still run
}
