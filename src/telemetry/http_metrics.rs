//! What requests cost: by route template and class of status.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use super::exposition::{Exposition, Kind};
use super::instruments::{Counter, Gauge, Histogram};

/// Metrics of the HTTP face.
#[derive(Debug, Default)]
pub struct HttpMetrics {
    /// Requests under way.
    pub in_flight: Gauge,
    /// Requests refused because too many were under way.
    pub refused: Counter,
    routes: RwLock<BTreeMap<Box<str>, Route>>,
}

#[derive(Debug, Default)]
struct Route {
    /// 1xx to 5xx.
    by_class: [Counter; 5],
    seconds: Histogram,
}

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl HttpMetrics {
    /// Counts an answered request. The route must be a template (`/fhir/{type}`), never a path:
    /// each one is kept for good.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = routes.get(route) {
            return known.count(status, took);
        }
        drop(routes);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.entry(route.into()).or_default().count(status, took);
    }

    /// Adds all of it to a page.
    pub fn write(&self, page: &mut Exposition) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let name = "careweave_http_requests_total";
        page.metric(name, Kind::Counter, "Requests answered, by route template and status class");
        for (route, of_route) in routes.iter() {
            for (class, count) in CLASSES.iter().zip(&of_route.by_class) {
                if count.get() > 0 {
                    page.sample(name, &[("route", route), ("status", class)], count.get());
                }
            }
        }
        let name = "careweave_http_request_seconds";
        page.metric(name, Kind::Histogram, "Time to answer a request, by route template");
        for (route, of_route) in routes.iter() {
            page.histogram(name, &[("route", route)], &of_route.seconds);
        }
        page.single(
            "careweave_http_requests_in_flight",
            Kind::Gauge,
            "Requests under way",
            self.in_flight.get(),
        );
        page.single(
            "careweave_http_requests_refused_total",
            Kind::Counter,
            "Requests refused because limits.requests_max were under way",
            self.refused.get(),
        );
    }
}

impl Route {
    fn count(&self, status: u16, took: Duration) {
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        self.by_class[class].inc();
        self.seconds.observe(took);
    }
}
