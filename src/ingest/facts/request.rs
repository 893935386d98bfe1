//! ServiceRequest.
//! <https://hl7.org/fhir/R4/servicerequest.html>

use super::reading::Reading;
use super::value;

pub(super) fn service_request(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.intent();
    reading.categories("category");
    reading.codes("code");
    reading.when("occurrence");
    reading.authored("authoredOn");
    let details = reading.concept_values("orderDetail");
    reading.add_values("", details);
    let quantity = value::choice(reading.resource, "quantity");
    reading.add_value("quantity", &quantity);
    let sites = reading.concept_values("bodySite");
    reading.add_values("site", sites);
}
