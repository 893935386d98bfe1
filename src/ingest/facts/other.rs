//! Types outside the view: what most resources have in common.

use super::medication::medication;
use super::reading::Reading;

pub(super) fn other(reading: &mut Reading<'_>) {
    reading.status("status");
    reading.intent();
    reading.categories("category");
    for element in ["code", "type", "description"] {
        reading.codes(element);
    }
    medication(reading);
    for element in ["period", "occurrence", "effective", "performed", "start"] {
        reading.when(element);
    }
    for element in ["authoredOn", "recordedDate", "created", "issued", "date"] {
        reading.authored(element);
    }
    reading.title(&["title", "name", "description"]);
}
