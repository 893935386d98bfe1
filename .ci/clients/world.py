"""A small made population of two providers, and what must be found in it.

All counts follow from the constants below and from one rule of the gateway: what both providers
state under one identifier is shown once. Nothing here is read from the gateway.
"""

import json
import sys
from pathlib import Path

PERSONS = 12  # all of them are patients of north
SHARED = 6  # the first of them are patients of south too
CONDITIONS = 3
GOALS = ["active", "active", "completed", "proposed"]  # of each person, at north
ORDERS = ["completed", "completed"]
TASKS = ["completed", "rejected"]
OBSERVATIONS = 5
MANY = 60  # more Observations of the first person, at south: two pages and more

MEMBER = "http://plan.example/member-id"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
GIVEN = ["Ada", "Bo", "Cleo", "Dag", "Eira", "Finn", "Gro", "Hal", "Ines", "Jon", "Kaia", "Lars"]
FAMILY = [
    "Quistgaard", "Brandvold", "Vestergren", "Okonjo", "Thistlewood", "Marlowe",
    "Abernathy", "Zielinski", "Castellano", "Drummond", "Eriksson", "Fairbanks",
]
PROBLEMS = ["44054006", "38341003", "195967001"]
AIMS = ["Walk 30 minutes a day", "Sleep 7 hours a night", "Stop smoking", "Learn to cook"]
WORDS = ["Diabetes", "Hypertension", "Asthma"]


def resource(kind, id, **members):
    """A resource as a provider states it."""
    meta = {"versionId": "1", "lastUpdated": "2026-03-01T08:00:00Z"}
    return {"resourceType": kind, "id": id, "meta": meta, **members}


def coded(system, code, text):
    return {"coding": [{"system": system, "code": code}], "text": text}


def patient(n, id):
    mb = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MB"}]}
    return resource(
        "Patient",
        id,
        identifier=[{"type": mb, "system": MEMBER, "value": f"M-{4700 + n}"}],
        name=[{"family": FAMILY[n], "given": [GIVEN[n]]}],
        gender="female" if n % 2 == 0 else "male",
        birthDate=f"{1950 + 3 * n}-{n + 1:02}-{2 * n + 1:02}",
    )


def goal(n, at, status, text, subject):
    # Progress on a goal that nobody took up yet would be a finding.
    progress = {"completed": "achieved", "active": "in-progress"}.get(status)
    system = "http://terminology.hl7.org/CodeSystem/goal-achievement"
    achievement = {"achievementStatus": coded(system, progress, progress)} if progress else {}
    return resource(
        "Goal",
        f"g{n}-{at}",
        identifier=[{"system": "http://plan.example/goal", "value": f"{n}-{at}"}],
        lifecycleStatus=status,
        **achievement,
        description={"text": text},
        subject=subject,
        startDate="2026-01-10",
    )


def observation(n, at, subject, day):
    return resource(
        "Observation",
        f"o{n}-{at}",
        status="final",
        code=coded(LOINC, "8867-4", "Heart rate"),
        subject=subject,
        effectiveDateTime=day,
        valueQuantity={
            "value": 60 + at, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"
        },
    )


def north(n):
    """All records of one person at north."""
    of = {"reference": f"Patient/p{n}"}
    yield patient(n, f"p{n}")
    for at in range(CONDITIONS):
        yield resource(
            "Condition",
            f"c{n}-{at}",
            clinicalStatus=coded(
                "http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "active"
            ),
            code=coded(SNOMED, PROBLEMS[at], WORDS[at]),
            subject=of,
            onsetDateTime="2015-04-01",
        )
    for at, status in enumerate(GOALS):
        yield goal(n, at, status, AIMS[at], of)
    for at, status in enumerate(ORDERS):
        yield resource(
            "ServiceRequest",
            f"s{n}-{at}",
            status=status,
            intent="order",
            code=coded(SNOMED, ["3457005", "409063005"][at], ["Referral", "Counselling"][at]),
            subject=of,
            authoredOn=f"2026-02-1{at}",
            requester={"reference": "Practitioner/d1"},
        )
    for at, status in enumerate(TASKS):
        yield resource(
            "Task",
            f"t{n}-{at}",
            status=status,
            intent="order",
            code=coded("http://hl7.org/fhir/CodeSystem/task-code", "fulfill", "Fulfil"),
            focus={"reference": f"ServiceRequest/s{n}-{at}"},
            **{"for": of},
            authoredOn=f"2026-02-1{at}",
            lastModified=f"2026-02-2{at}",
            owner={"reference": "Organization/o1"},
            # Without an outcome it would be a finding.
            output=[{"type": {"text": "Outcome"}, "valueString": "Settled by telephone"}],
        )
    for at in range(OBSERVATIONS):
        yield observation(n, at, of, f"2026-02-0{at + 1}")
    yield resource(
        "CarePlan",
        f"cp{n}",
        status="active",
        intent="plan",
        title="Care plan of north",
        category=[
            coded(
                "http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan", "Plan"
            )
        ],
        subject=of,
        period={"start": "2026-01-01"},
        goal=[{"reference": f"Goal/g{n}-{at}"} for at in range(len(GOALS))],
        addresses=[{"reference": f"Condition/c{n}-0"}],
    )


def south(n):
    """All records of one person at south: the first goal of north's again, and one of its own."""
    of = {"reference": f"Patient/q{n}"}
    yield patient(n, f"q{n}")
    yield goal(n, 0, GOALS[0], AIMS[0], of)
    yield goal(n, 9, "active", "Drink more water", of)
    for at in range(MANY if n == 0 else 0):
        yield observation(n, 100 + at, of, f"2025-{at // 28 + 1:02}-{at % 28 + 1:02}")


def providers():
    at_north = [
        resource("Organization", "o1", name="North Hospital"),
        resource(
            "Practitioner",
            "d1",
            identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1999999984"}],
            name=[{"family": "Lindqvist", "given": ["Lena"]}],
        ),
        *(record for n in range(PERSONS) for record in north(n)),
    ]
    return {"north": at_north, "south": [r for n in range(SHARED) for r in south(n)]}


def of_person(n):
    """How many resources of each type are shown of a person."""
    shared = n < SHARED
    return {
        "Patient": 1,
        "Condition": CONDITIONS,
        "Goal": len(GOALS) + shared,
        "ServiceRequest": len(ORDERS),
        "Task": len(TASKS),
        "Observation": OBSERVATIONS + (MANY if n == 0 else 0),
        "Organization": 1,  # what is referred to comes along
        "Practitioner": 1,
        "CarePlan": 2,  # the stated one, and the woven one over it
    }


def expected():
    """What the clients compare with."""
    sums = {}
    for n in range(PERSONS):
        for kind, count in of_person(n).items():
            sums[kind] = sums.get(kind, 0) + count
    sums |= {"Organization": 1, "Practitioner": 1}
    return {
        "persons": PERSONS,
        "shared": SHARED,
        "member": MEMBER,
        "goals_active": [GOALS.count("active") + (n < SHARED) for n in range(PERSONS)],
        "goals_achieved": PERSONS * GOALS.count("completed"),
        "tasks_completed": PERSONS * TASKS.count("completed"),
        "plan_goals": len(GOALS),
        "woven_goals": [len(GOALS) + (n < SHARED) for n in range(PERSONS)],
        "of_person": [of_person(n) for n in range(PERSONS)],
        "sums": sums,
    }


if __name__ == "__main__":
    into = Path(sys.argv[1])
    for name, records in providers().items():
        lines = [json.dumps(record, separators=(",", ":")) for record in records]
        (into / f"{name}.ndjson").write_text("\n".join(lines) + "\n")
    (into / "expected.json").write_text(json.dumps(expected(), indent=1))
