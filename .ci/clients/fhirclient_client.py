"""fhirclient, the SMART Python client, with its own R4 models: they parse strictly."""

from check import BASE, EXPECTED, done, member, refused, same
from fhirclient import client as smart
from fhirclient.models.bundle import Bundle
from fhirclient.models.careplan import CarePlan
from fhirclient.models.codeableconcept import CodeableConcept
from fhirclient.models.condition import Condition
from fhirclient.models.fhirreference import FHIRReference
from fhirclient.models.goal import Goal
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.models.servicerequest import ServiceRequest
from fhirclient.models.task import Task
from fhirclient.server import FHIRNotFoundException

MINE = 7  # the person this client writes about

app = smart.FHIRClient(settings={"app_id": "careweave-ci", "api_base": BASE})
server = app.server
same("capability", server.capabilityStatement.fhirVersion, "4.0.1")
same("no authorization asked for", (app.prepare(), app.ready), (True, True))

person = Patient.where({"identifier": member(0)}).perform_resources(server)[0]
same("human name", app.human_name(person.name[0]), "Ada Quistgaard")
same("read", Patient.read(person.id, server).birthDate.isostring, person.birthDate.isostring)
for model in [Condition, Goal, ServiceRequest, Task, Observation, CarePlan]:
    kind = model.resource_type
    search = model.where({"patient": person.id, "_count": "10"})
    found = list(search.perform_resources_iter(server))
    same(f"{kind} over all pages", len(found), EXPECTED["of_person"][0][kind])
    same(f"{kind} are of its model", {type(one) for one in found}, {model})
    same(f"{kind} total", search.perform(server).total, EXPECTED["of_person"][0][kind])
pages = list(Observation.where({"patient": person.id, "_count": "10"}).perform_iter(server))
same("pages", [len(page.entry) for page in pages], [10] * 6 + [5])

active = Goal.where({"patient": person.id, "lifecycle-status": "active"})
same("active goals", len(active.perform_resources(server)), EXPECTED["goals_active"][0])
either = Goal.where({"patient": person.id, "lifecycle-status": {"$or": ["completed", "proposed"]}})
same("or", len(either.perform_resources(server)), 2)
plans = CarePlan.where({"patient": person.id}).include("goal").perform(server)
modes = [entry.search.mode for entry in plans.entry]
same("include", [modes.count("match"), modes.count("include")], [2, EXPECTED["woven_goals"][0]])
woven = plans.entry[0].resource
same("the woven plan is first", woven.meta.tag[0].code, "woven")
aim = woven.goal[0].resolved(Goal)
same("resolved from the Bundle", aim.subject.reference, f"Patient/{person.id}")
orders = ServiceRequest.where({"patient": person.id}).include("focus", Task, reverse=True)
modes = [entry.search.mode for entry in orders.perform(server).entry]
same("revinclude", [modes.count("match"), modes.count("include")], [2, 2])
everything = Bundle.read_from(f"Patient/{person.id}/$everything?_count=500", server)
counts = {}
for entry in everything.entry:
    kind = entry.resource.resource_type
    counts[kind] = counts.get(kind, 0) + 1
same("$everything by type", counts, EXPECTED["of_person"][0])

chained = Goal.where({"patient.identifier": member(1)}).perform(server)
same("chained", chained.total, EXPECTED["of_person"][1]["Goal"])
inside = Bundle.read_from(f"Patient/{person.id}/Goal", server)
same("of the compartment", inside.total, EXPECTED["of_person"][0]["Goal"])
of = {"name": "resource", "resource": person.as_json()}
asked = {"resourceType": "Parameters", "parameter": [of]}
matched = Bundle(server.post_json("Patient/$match", asked).json())
same("$match", [entry.resource.id for entry in matched.entry][:1], [person.id])

mine = Patient.where({"identifier": member(MINE)}).perform_resources(server)[0]
goals = Goal.where({"patient": mine.id})
before = EXPECTED["of_person"][MINE]["Goal"]
goal = Goal()
goal.lifecycleStatus = "active"
goal.description = CodeableConcept({"text": "Cycle to work"})
goal.subject = FHIRReference({"reference": f"Patient/{mine.id}"})
goal.create(server)
same("created", goals.perform(server).total, before + 1)
added = [g for g in goals.perform_resources(server) if g.description.text == "Cycle to work"]
same("found again", len(added), 1)
goal = Goal.read(added[0].id, server)
goal.lifecycleStatus = "on-hold"
goal.update(server)
same("updated", Goal.read(goal.id, server).lifecycleStatus, "on-hold")
same("its version", Goal.read(goal.id, server).meta.versionId, "2")
same("first version", Goal.read_from(f"Goal/{goal.id}/_history/1", server).lifecycleStatus, "active")
goal.delete(server)
same("deleted", goals.perform(server).total, before)
refused("unknown", FHIRNotFoundException, lambda: Goal.read("nobody", server))
done("fhirclient (Python)")
