//! What answers to what. From this table come the router, the CapabilityStatement, and the test
//! that compares the two.

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use super::{
    Api, batch, care_loops, care_needs, care_person, care_progress, concepts, create, delete,
    docref, everything, group, group_write, guard, history, ihe_pix, match_patient, mdm,
    member_match, meta, metadata, metrics, operations, panel_goals, patch, read, root, search,
    source, update, validate, vread,
};

/// A path with its handlers, and what each method states of itself.
pub(super) struct Route {
    /// The path, with parameters in braces.
    pub(super) path: &'static str,
    /// Method → what the CapabilityStatement says of it.
    pub(super) states: Vec<(&'static str, Stated)>,
    answers: MethodRouter<Api>,
}

/// What a method of a route is, in the words of the CapabilityStatement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stated {
    /// It is no part of the FHIR interface, or goes without saying.
    Nothing,
    /// A `TypeRestfulInteraction` of every type.
    Type(&'static str),
    /// The same on what a condition fits.
    Conditional(&'static str),
    /// A `SystemRestfulInteraction`.
    System(&'static [&'static str]),
    /// The operation with this code, of every type, of one, or of none.
    Operation(&'static str),
}

use Stated::{Conditional, Nothing, Operation, System, Type};

/// All routes.
pub(super) fn table() -> Vec<Route> {
    let mut table = vec![
        Route::of("/", get(root::root), &[("GET", Nothing)]),
        Route::of("/livez", get(root::livez), &[("GET", Nothing)]),
        Route::of("/readyz", get(root::readyz), &[("GET", Nothing)]),
        Route::of("/metrics", get(metrics::metrics), &[("GET", Nothing)]),
        Route::of("/sources/{endpoint}/fhir/{type}/{id}", get(source::source), &[("GET", Nothing)]),
        Route::of("/fhir", post(batch::post), &[("POST", System(&["transaction", "batch"]))]),
        // A base URL is also written with a slash at its end.
        Route::of("/fhir/", post(batch::post), &[("POST", Nothing)]),
        Route::of("/fhir/metadata", get(metadata::metadata), &[("GET", Nothing)]),
        Route::of(
            "/fhir/_history",
            get(history::of_system),
            &[("GET", System(&["history-system"]))],
        ),
        Route::of(
            "/fhir/ConceptMap/care-concepts",
            get(concepts::concept_map),
            &[("GET", Nothing)],
        ),
        Route::of("/care/person/{id}", get(care_person::care_person), &[("GET", Nothing)]),
        Route::of("/care/loops", get(care_loops::care_loops), &[("GET", Nothing)]),
        Route::of("/care/person/{id}/needs", get(care_needs::care_needs), &[("GET", Nothing)]),
        Route::of(
            "/care/person/{id}/progress",
            get(care_progress::care_progress),
            &[("GET", Nothing)],
        ),
        Route::of("/care/concepts", get(concepts::concepts), &[("GET", Nothing)]),
        Route::of("/fhir/OperationDefinition", get(operations::all), &[("GET", Nothing)]),
        Route::of("/fhir/OperationDefinition/{id}", get(operations::one), &[("GET", Nothing)]),
    ];
    table.extend(of_panels());
    table.extend(of_types());
    table.extend(of_operations());
    table.extend(of_matching());
    table.extend(mdm::routes());
    table
}

/// Groups are no part of the view; the statement has an entry of its own for them.
fn of_panels() -> Vec<Route> {
    vec![
        Route::of(
            "/fhir/Group",
            get(group::search).post(group_write::create),
            &[("GET", Nothing), ("POST", Nothing)],
        ),
        Route::of(
            "/fhir/Group/{id}",
            get(group::read).put(group_write::update).delete(group_write::delete),
            &[("GET", Nothing), ("PUT", Nothing), ("DELETE", Nothing)],
        ),
        Route::of("/care/panel/{group}/goals", get(panel_goals::panel_goals), &[("GET", Nothing)]),
    ]
}

fn of_types() -> Vec<Route> {
    vec![
        Route::of(
            "/fhir/{type}",
            get(search::by_get)
                .post(create::create)
                .put(update::by_condition)
                .patch(patch::by_condition)
                .delete(delete::by_condition),
            &[
                ("GET", Type("search-type")),
                ("POST", Type("create")),
                ("PUT", Conditional("update")),
                ("PATCH", Conditional("patch")),
                ("DELETE", Conditional("delete")),
            ],
        ),
        Route::of("/fhir/{type}/_search", post(search::by_post), &[("POST", Type("search-type"))]),
        Route::of("/fhir/{type}/_history", get(history::of_type), &[("GET", Type("history-type"))]),
        Route::of(
            "/fhir/{type}/{id}",
            get(read::read).put(update::update).patch(patch::patch).delete(delete::delete),
            &[
                ("GET", Type("read")),
                ("PUT", Type("update")),
                ("PATCH", Type("patch")),
                ("DELETE", Type("delete")),
            ],
        ),
        // The compartment of a Patient: search of what belongs to it.
        Route::of("/fhir/{type}/{id}/{member}", get(search::in_compartment), &[("GET", Nothing)]),
        Route::of(
            "/fhir/{type}/{id}/{member}/_search",
            post(search::in_compartment_by_post),
            &[("POST", Nothing)],
        ),
        Route::of(
            "/fhir/{type}/{id}/_history",
            get(history::of_resource),
            &[("GET", Type("history-instance"))],
        ),
        Route::of(
            "/fhir/{type}/{id}/_history/{version}",
            get(vread::vread),
            &[("GET", Type("vread"))],
        ),
    ]
}

fn of_operations() -> Vec<Route> {
    vec![
        Route::of(
            "/fhir/Patient/{id}/$everything",
            get(everything::everything),
            &[("GET", Operation("everything"))],
        ),
        Route::of("/fhir/$meta", get(meta::of_system), &[("GET", Operation("meta"))]),
        Route::of("/fhir/{type}/$meta", get(meta::of_type), &[("GET", Operation("meta"))]),
        Route::of("/fhir/{type}/{id}/$meta", get(meta::of_resource), &[("GET", Operation("meta"))]),
        Route::of(
            "/fhir/{type}/$validate",
            post(validate::of_type),
            &[("POST", Operation("validate"))],
        ),
        Route::of(
            "/fhir/{type}/{id}/$validate",
            post(validate::of_resource),
            &[("POST", Operation("validate"))],
        ),
        Route::of(
            "/fhir/DocumentReference/$docref",
            get(docref::by_get).post(docref::by_post),
            &[("GET", Operation("docref")), ("POST", Operation("docref"))],
        ),
    ]
}

fn of_matching() -> Vec<Route> {
    vec![
        Route::of(
            "/fhir/Patient/$match",
            post(match_patient::match_patient),
            &[("POST", Operation("match"))],
        ),
        Route::of(
            "/fhir/Patient/$member-match",
            post(member_match::member_match),
            &[("POST", Operation("member-match"))],
        ),
        Route::of(
            "/fhir/Patient/$ihe-pix",
            get(ihe_pix::by_get).post(ihe_pix::by_post),
            &[("GET", Operation("ihe-pix")), ("POST", Operation("ihe-pix"))],
        ),
    ]
}

/// The router of these routes, without what stands before and behind every one.
pub(super) fn routes() -> Router<Api> {
    table()
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.answers))
        .fallback(guard::no_such_route)
        .method_not_allowed_fallback(guard::no_such_method)
}

impl Route {
    /// A route, and what each of its methods is.
    pub(super) fn of(
        path: &'static str,
        answers: MethodRouter<Api>,
        states: &[(&'static str, Stated)],
    ) -> Self {
        Self { path, states: states.to_vec(), answers }
    }
}
