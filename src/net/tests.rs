//! Tests over real sockets.
#![expect(clippy::unwrap_used, reason = "test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Served>,
}

async fn start(app: Router, options: ServeOptions) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let task = tokio::spawn(serve(listener, app, shutdown, options));
    Running { address, stop, task }
}

impl Running {
    fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }
}

fn quick() -> FetcherOptions {
    FetcherOptions {
        backoff_min: Duration::from_millis(2),
        backoff_max: Duration::from_millis(10),
        retries_max: 3,
        direct: true,
        ..FetcherOptions::default()
    }
}

/// Answers 503 so many times, then 200.
fn flaky(failures: u64) -> (Router, Arc<AtomicU64>) {
    let calls = Arc::new(AtomicU64::new(0));
    let counter = calls.clone();
    let handler = move || async move {
        if counter.fetch_add(1, Ordering::Relaxed) < failures {
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "3600")], "later").into_response()
        } else {
            "done".into_response()
        }
    };
    (Router::new().route("/", get(handler)), calls)
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_within_bounds() {
    let fetcher = Fetcher::new(quick()).unwrap();
    let (app, calls) = flaky(2);
    let server = start(app, ServeOptions::default()).await;
    let begin = Instant::now();
    let fetched = fetcher.get(&server.url("/"), "*/*").await.unwrap();
    assert_eq!((fetched.status.as_u16(), fetched.retries), (200, 2));
    assert!(fetched.date.is_some());
    // An hour was asked for; ours is the bound.
    assert!(begin.elapsed() < Duration::from_secs(5));

    let (app, calls_lasting) = flaky(u64::MAX);
    let lasting = start(app, ServeOptions::default()).await;
    let fetched = fetcher.get(&lasting.url("/"), "*/*").await.unwrap();
    assert_eq!(fetched.status.as_u16(), 503);
    assert_eq!((calls.load(Ordering::Relaxed), calls_lasting.load(Ordering::Relaxed)), (3, 4));
}

#[tokio::test]
async fn bodies_time_and_redirects_are_bounded_and_texts_hold_no_path() {
    let app = Router::new()
        .route("/large", get(|| async { vec![b' '; 2_000] }))
        .route("/slow", get(|| tokio::time::sleep(Duration::from_secs(30))))
        .route("/moved", get(|| async { (StatusCode::FOUND, [("location", "/large")]) }));
    let server = start(app, ServeOptions::default()).await;
    let options = FetcherOptions {
        body_bytes_max: 1_000,
        timeout_total: Duration::from_millis(100),
        retries_max: 1,
        ..quick()
    };
    let fetcher = Fetcher::new(options).unwrap();
    let large = fetcher.get(&server.url("/large?name=Jane"), "*/*").await.unwrap_err();
    assert!(matches!(large, FetchError::TooLarge { limit: 1_000, .. }));
    let slow = fetcher.get(&server.url("/slow?name=Jane"), "*/*").await.unwrap_err();
    assert!(matches!(slow, FetchError::Timeout { .. }));
    assert_eq!(fetcher.get(&server.url("/moved"), "*/*").await.unwrap().status.as_u16(), 302);
    let nobody: Url = "http://127.0.0.1:1/Patient/7?name=Jane".parse().unwrap();
    let refused = fetcher.get(&nobody, "*/*").await.unwrap_err();
    assert!(matches!(refused, FetchError::Connect { .. }));
    for error in [large, slow, refused] {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("Jane") && !text.contains("Patient"), "{text}");
    }
}

#[tokio::test]
async fn a_token_goes_to_its_own_origin_only() {
    let echo = |headers: HeaderMap| async move {
        headers.get("authorization").map_or("none", |h| h.to_str().unwrap()).to_owned()
    };
    let app = Router::new().route("/", get(echo));
    let own = start(app.clone(), ServeOptions::default()).await;
    let other = start(app, ServeOptions::default()).await;
    let bearer =
        Bearer { base: Base::parse(own.url("/").as_str()).unwrap(), token: "sesame".into() };
    let fetcher = Fetcher::new(FetcherOptions { bearer: Some(bearer), ..quick() }).unwrap();
    assert_eq!(fetcher.get(&own.url("/"), "*/*").await.unwrap().body, "Bearer sesame");
    assert_eq!(fetcher.get(&other.url("/"), "*/*").await.unwrap().body, "none");
}

#[tokio::test]
async fn tls_is_trusted_by_the_ca_file_alone() {
    install_crypto_provider();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (cert_file, key_file) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&cert_file, made.cert.pem()).unwrap();
    std::fs::write(&key_file, made.signing_key.serialize_pem()).unwrap();
    let tls = Some(server_config(&cert_file, &key_file).unwrap());
    let (app, _) = flaky(0);
    let server = start(app, ServeOptions { tls, ..ServeOptions::default() }).await;
    let url: Url = format!("https://localhost:{}/", server.address.port()).parse().unwrap();

    let options = FetcherOptions { retries_max: 0, ..quick() };
    let stranger = Fetcher::new(options.clone()).unwrap();
    assert!(matches!(stranger.get(&url, "*/*").await, Err(FetchError::Connect { .. })));
    let trusting = FetcherOptions { ca_file: Some(cert_file), ..options.clone() };
    let fetched = Fetcher::new(trusting).unwrap().get(&url, "*/*").await.unwrap();
    assert_eq!(fetched.body, "done");
    let no_cert = FetcherOptions { ca_file: Some(dir.path().join("none.pem")), ..options };
    assert!(matches!(Fetcher::new(no_cert), Err(FetchError::Tls(TlsError::Pem { .. }))));
}

#[tokio::test]
async fn shutdown_lets_requests_under_way_end_and_cuts_the_rest() {
    let app = || {
        let answer = |wait: u64| async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            "done"
        };
        Router::new()
            .route("/soon", get(move || answer(150)))
            .route("/never", get(move || answer(60_000)))
    };
    let options = ServeOptions { drain: Duration::from_millis(400), ..ServeOptions::default() };
    let fetcher = Fetcher::new(FetcherOptions { retries_max: 0, ..quick() }).unwrap();
    for (path, answered, served) in
        [("/soon", true, Served::Drained), ("/never", false, Served::Cut)]
    {
        let server = start(app(), options.clone()).await;
        let (fetcher, url) = (fetcher.clone(), server.url(path));
        let request = tokio::spawn(async move { fetcher.get(&url, "*/*").await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.stop.send(()).unwrap();
        assert_eq!(server.task.await.unwrap(), served, "{path}");
        assert_eq!(request.await.unwrap().is_ok(), answered, "{path}");
    }
}

#[tokio::test]
async fn connections_wait_their_turn_and_dribbling_ones_are_closed() {
    let (app, _) = flaky(0);
    let options = ServeOptions {
        connections_max: 1,
        header_read_timeout: Duration::from_millis(150),
        ..ServeOptions::default()
    };
    let server = start(app, options).await;
    let mut dribbler = TcpStream::connect(server.address).await.unwrap();
    dribbler.write_all(b"GET / HT").await.unwrap();
    let begin = Instant::now();
    let fetcher = Fetcher::new(FetcherOptions { retries_max: 0, ..quick() }).unwrap();
    let fetched = fetcher.get(&server.url("/"), "*/*").await.unwrap();
    assert_eq!(fetched.status.as_u16(), 200);
    assert!(begin.elapsed() >= Duration::from_millis(100), "it had to wait for the dribbler");
    let mut rest = Vec::new();
    let _ = dribbler.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn what_is_no_http_is_refused_with_an_outcome() {
    let server = start(Router::new().route("/", get(|| async { "ok" })), ServeOptions::default());
    let server = server.await;
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let cases = [
        (b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), "400"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n".to_vec(), "400"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000)).into_bytes(), "414"),
        (format!("GET / HTTP/1.1\r\n{many}\r\n").into_bytes(), "431"),
        (b"POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n".to_vec(), "400"),
    ];
    for (request, status) in cases {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // A good request first: the same connection serves both.
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut start = vec![0; 1024];
        let read = stream.read(&mut start).await.unwrap();
        assert!(start[..read].ends_with(b"ok"));
        let _ = stream.write_all(&request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        let outcome: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(outcome["resourceType"], "OperationOutcome");
    }
}
