"""fhirpy, as its README shows it."""

from check import BASE, EXPECTED, done, everything_of, member, refused, same
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

MINE = 6  # the person this client writes about

client = SyncFHIRClient(BASE)
patients = client.resources("Patient")
person = patients.search(identifier=member(0)).get()
same("a person by identifier", person.get_by_path(["name", 0, "family"]), "Quistgaard")
same("read", client.reference("Patient", person.id).to_resource().id, person.id)
same("get", client.get("Patient", person.id)["id"], person.id)

for kind, count in EXPECTED["of_person"][0].items():
    if kind in ("Patient", "Organization", "Practitioner"):
        continue
    of_type = client.resources(kind).search(patient=person.id)
    same(f"{kind} fetch_all", len(of_type.limit(10).fetch_all()), count)
    same(f"{kind} count", of_type.count(), count)

observations = client.resources("Observation").search(patient=person.id)
same("one page", len(observations.limit(7).fetch()), 7)
same("all pages, each once", len({o.id for o in observations.limit(7)}), 65)
first = observations.sort("-date").first()
same("first by -date", first.effectiveDateTime, "2026-02-05")
late = observations.search(date__ge="2026-02-03", code="http://loinc.org|8867-4")
same("date and code", len(late.fetch_all()), 3)
same("value-quantity", len(observations.search(value_quantity__gt=161).fetch_all()), 58)

goals = client.resources("Goal").search(patient=person.id)
same("active goals", len(goals.search(lifecycle_status="active").fetch_all()), 3)
same("not active", len(goals.search(lifecycle_status__not="active").fetch_all()), 2)
brief = goals.elements("lifecycleStatus").fetch()
same("elements", {key in goal for goal in brief for key in ["lifecycleStatus"]}, {True})
same("elements leave out", any("startDate" in goal for goal in brief), False)

with_goals = client.resources("CarePlan").search(patient=person.id).include("CarePlan", "goal")
bundle = with_goals.fetch_raw()
modes = [entry["search"]["mode"] for entry in bundle["entry"]]
same("include matches", modes.count("match"), 2)
same("include goals", modes.count("include"), EXPECTED["woven_goals"][0])
orders = client.resources("ServiceRequest").search(patient=person.id).revinclude("Task", "focus")
modes = [entry["search"]["mode"] for entry in orders.fetch_raw()["entry"]]
same("revinclude", [modes.count("match"), modes.count("include")], [2, 2])
achieved = client.resources("Goal").search(achievement_status="achieved")
same("across patients", len(achieved.limit(5).fetch_all()), EXPECTED["goals_achieved"])
chained = client.resources("Goal").search(patient__identifier=member(1))
same("chained", len(chained.fetch_all()), EXPECTED["of_person"][1]["Goal"])
has = client.resources("Patient").search(identifier=member(0)).has(
    "Task", "patient", status="completed"
)
same("_has", len(has.fetch()), 1)

everything = client.execute(
    f"Patient/{person.id}/$everything", method="get", params={"_count": 500}
)
same("$everything", len(everything["entry"]), everything_of(0))
found = patients.execute(
    "$match",
    data={
        "resourceType": "Parameters",
        "parameter": [{"name": "resource", "resource": dict(person.serialize())}],
    },
)
same("$match", [e["resource"]["id"] for e in found["entry"]][:1], [person.id])

mine = patients.search(identifier=member(MINE)).get()
before = EXPECTED["of_person"][MINE]["Goal"]
goal = client.resource(
    "Goal",
    lifecycleStatus="active",
    description={"text": "Swim twice a week"},
    subject=mine.to_reference(),
    identifier=[{"system": "http://clinic.example/goal", "value": "fhirpy"}],
)
same("$validate", goal.is_valid(), True)
goal.save()
same("create", goal["meta"]["versionId"], "1")
goals = client.resources("Goal").search(patient=mine.id)
same("one goal more", goals.count(), before + 1)
goal["description"]["text"] = "Swim three times a week"
goal.save()
same("update", (goal["meta"]["versionId"], goal["description"]["text"][5:10]), ("2", "three"))
goal.patch(lifecycleStatus="completed")
same("patch", (goal["meta"]["versionId"], goal["lifecycleStatus"]), ("3", "completed"))
goal.save(fields=["description"])
same("save fields", goal["lifecycleStatus"], "completed")
own = client.resources("Goal").search(identifier="http://clinic.example/goal|fhirpy")
again = client.resource("Goal", **{k: v for k, v in goal.serialize().items() if k != "id"})
same("get_or_create", own.get_or_create(again)[1], False)
again["startDate"] = "2026-01-02"
updated, created = own.update(again)
same("conditional update", (created, updated["startDate"]), (False, "2026-01-02"))
same("conditional patch", own.patch(startDate="2026-01-03")["startDate"], "2026-01-03")
goal.refresh()
same("refresh", goal["lifecycleStatus"], "completed")
history = client.execute(f"Goal/{goal.id}/_history", method="get")
same("history", history["total"], 5)
bad = client.resource("Goal", lifecycleStatus="someday", subject=mine.to_reference())
same("$validate of a bad one", bad.is_valid(), False)
refused("create of a bad one", OperationOutcome, bad.save)
own.delete()
same("deleted", goals.count(), before)
refused("a deleted one", ResourceNotFound, lambda: client.get("Goal", goal.id))

entries = [
    {"request": {"method": "GET", "url": f"Goal?patient={person.id}"}},
    {"request": {"method": "GET", "url": f"Patient/{person.id}"}},
    {"request": {"method": "GET", "url": "Patient/nobody"}},
]
batch = client.resource("Bundle", type="batch", entry=entries)
answer = client.execute("", data=batch.serialize())
statuses = [entry["response"]["status"][:3] for entry in answer["entry"]]
same("batch", statuses, ["200", "200", "404"])
same("batch search", answer["entry"][0]["resource"]["total"], EXPECTED["of_person"][0]["Goal"])
done("fhirpy")
