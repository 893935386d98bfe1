//! Reads and searches of the built server, a person drawn at random for each.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Options;
use super::load::{configure, micros};
use super::process::Process;
use super::provider::Provider;
use super::world::{World, mix};

/// Persons whose ids are looked up for the measurement.
const SAMPLE: u32 = 1_000;

pub(crate) async fn serve(options: &Options, providers: &[Provider]) {
    let world = options.world();
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    configure(options, providers, port);
    let server = Process::start(&options.dir, &["serve", "--quiet"]);
    let mut client = Client::connect(port).await;
    let targets = targets(&mut client, world, &options.dir).await;
    println!("serve: {} persons, {} of them asked about", options.persons, targets.people());
    let asked = targets.paths.iter().filter(|(name, _)| name.starts_with(&options.only));
    for (name, paths) in asked {
        for connections in [1, 32] {
            measure(&server, name, paths, connections, port, options.seconds).await;
        }
    }
    if let Some(used) = server.used() {
        println!("  {} MB resident at most", used.peak_kb / 1024);
    }
}

/// What is asked: paths by kind of request.
struct Targets {
    paths: BTreeMap<&'static str, Vec<String>>,
}

impl Targets {
    fn people(&self) -> usize {
        self.paths.get("everything (20 rows)").map_or(0, Vec::len)
    }
}

async fn targets(client: &mut Client, world: World, _dir: &Path) -> Targets {
    let mut paths: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for n in 0..SAMPLE.min(world.persons) {
        let person = (mix(&[u64::from(n), 99]) % u64::from(world.persons)) as u32;
        let number = world.member_number(person);
        let path = format!("/fhir/Patient?identifier=urn:oid:2.16.840.1.113883.3.999%7C{number}");
        let found = client.json(&path).await;
        let Some(patient) = found["entry"][0]["resource"]["id"].as_str() else { continue };
        let search = format!("/fhir/Observation?patient={patient}&_count=20");
        let rows = client.json(&search).await;
        let Some(observation) = rows["entry"][0]["resource"]["id"].as_str() else { continue };
        let mut add = |kind, path| paths.entry(kind).or_default().push(path);
        add("read", format!("/fhir/Observation/{observation}"));
        add("search (20 rows)", search);
        add("search by code", format!("/fhir/Observation?patient={patient}&code=4548-4&_count=20"));
        add("goals", format!("/fhir/Goal?patient={patient}&lifecycle-status=active&_count=20"));
        add("care plans", format!("/fhir/CarePlan?patient={patient}&_count=20"));
        add("everything (20 rows)", format!("/fhir/Patient/{patient}/$everything?_count=20"));
    }
    Targets { paths }
}

async fn measure(
    server: &Process,
    name: &str,
    paths: &[String],
    connections: u64,
    port: u16,
    seconds: u64,
) {
    let before = server.used().unwrap_or_default();
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = Vec::new();
    for connection in 0..connections {
        let paths = paths.to_vec();
        tasks.push(tokio::spawn(async move {
            let mut client = Client::connect(port).await;
            let mut times = Vec::new();
            for n in 0.. {
                let began = Instant::now();
                if began >= until {
                    break;
                }
                let at = mix(&[connection, n]) % paths.len() as u64;
                let status = client.get(&paths[at as usize]).await.0;
                assert_eq!(status, 200, "{}", paths[at as usize]);
                times.push(began.elapsed());
            }
            times
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("a client"));
    }
    times.sort();
    let used = server.used().unwrap_or_default();
    let at = |share: f64| micros(times[((times.len() - 1) as f64 * share) as usize]);
    println!(
        "  {name:22} {connections:2} connections: {:6.0}/s, {:4.0} us CPU, \
         p50 {:5.0} us, p99 {:6.0} us",
        times.len() as f64 / seconds as f64,
        micros(used.cpu - before.cpu) / times.len() as f64,
        at(0.5),
        at(0.99),
    );
}

/// One kept-alive connection; as little client as can be, so that the server is measured.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(port: u16) -> Self {
        for _ in 0..600 {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
                stream.set_nodelay(true).expect("no delay");
                return Self { stream, buffer: Vec::new() };
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server does not listen");
    }

    async fn json(&mut self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn get(&mut self, path: &str) -> (u16, Vec<u8>) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.expect("a request goes out");
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|l| l.trim().parse().ok()).expect("a length");
        while self.buffer.len() < end + length {
            self.more().await;
        }
        let body = self.buffer[end..end + length].to_vec();
        self.buffer.drain(..end + length);
        (status, body)
    }

    async fn more(&mut self) {
        let mut some = [0; 65_536];
        let read = self.stream.read(&mut some).await.expect("an answer");
        assert!(read > 0, "the server closed the connection");
        self.buffer.extend_from_slice(&some[..read]);
    }
}
