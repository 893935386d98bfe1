"""fhir-pyrate: searches as tables."""

import warnings

from check import BASE, EXPECTED, done, member, same
from fhir_pyrate import Pirate

warnings.filterwarnings("ignore")
pirate = Pirate(auth=None, base_url=BASE, num_processes=1)
patients = pirate.steal_bundles_to_dataframe(
    resource_type="Patient",
    request_params={"identifier": ",".join(member(n) for n in range(EXPECTED["persons"]))},
    fhir_paths=[("patient", "id"), ("family", "name[0].family"), ("member", "identifier[0].value")],
)
same("patients", len(patients), EXPECTED["persons"])
same("columns", set(patients.columns) >= {"patient", "family", "member"}, True)
total = pirate.get_bundle_total("Goal", {"achievement-status": "achieved"})
same("total", total, EXPECTED["goals_achieved"])

for kind in ["Condition", "Goal", "ServiceRequest", "Task", "Observation", "CarePlan"]:
    rows = pirate.trade_rows_for_dataframe(
        df=patients,
        resource_type=kind,
        df_constraints={"patient": "patient"},
        request_params={"_count": 10},
        fhir_paths=["id", ("subject", "subject.reference")],
        with_ref=True,
    )
    same(f"{kind} of all patients", len(rows), EXPECTED["sums"][kind])
    same(f"{kind}, each once", rows["id"].nunique(), EXPECTED["sums"][kind])
    by_person = rows.groupby("patient")["id"].count().to_dict()
    for n in range(EXPECTED["persons"]):
        id = patients[patients["member"] == f"M-{4700 + n}"]["patient"].iloc[0]
        same(f"{kind} of person {n}", by_person.get(id), EXPECTED["of_person"][n][kind])

first = patients[patients["member"] == "M-4700"]["patient"].iloc[0]
sailed = pirate.sail_through_search_space_to_dataframe(
    resource_type="Observation",
    time_attribute_name="date",
    date_init="2024-12-31",
    date_end="2026-12-31",
    request_params={"patient": first, "_count": 20, "_sort": "date"},
)
same("through time", len(sailed), EXPECTED["of_person"][0]["Observation"])
chained = pirate.get_bundle_total("Goal", {"patient.identifier": member(1)})
same("chained", chained, EXPECTED["of_person"][1]["Goal"])
two = pirate.steal_bundles(
    resource_type="Observation", request_params={"patient": first, "_count": 7}, num_pages=2
)
same("two pages", [len(bundle.entry) for bundle in two], [7, 7])
pirate.close()
done("fhir-pyrate")
