// @medplum/core: MedplumClient against a FHIR base of its own.
import { MedplumClient } from '@medplum/core';
import {
  BASE, EXPECTED, done, everythingOf, goalOf, inMode, member, refused, same,
} from './check.mjs';

const MINE = 10; // the person this client writes about
const status = (error) => error.outcome?.issue?.[0]?.code ?? String(error);

const base = new URL(BASE);
const client = new MedplumClient({
  baseUrl: `${base.origin}/`, fhirUrlPath: base.pathname.slice(1), cacheTime: 0,
});
const person = await client.searchOne('Patient', { identifier: member(0) });
same('searchOne', person.name[0].family, 'Quistgaard');
same('readResource', (await client.readResource('Patient', person.id)).id, person.id);
const reference = { reference: `Patient/${person.id}` };
same('readReference', (await client.readReference(reference)).id, person.id);

for (const [kind, count] of Object.entries(EXPECTED.of_person[0])) {
  if (['Patient', 'Organization', 'Practitioner'].includes(kind)) continue;
  const query = `patient=${person.id}&_count=100`;
  same(`${kind} searchResources`, (await client.searchResources(kind, query)).length, count);
  const bundle = await client.search(kind, { patient: person.id, _total: 'accurate' });
  same(`${kind} total`, bundle.total, count);
}
const pages = [];
const query = { patient: person.id, _count: 25 };
for await (const page of client.searchResourcePages('Observation', query)) pages.push(page.length);
same('searchResourcePages', pages, [25, 25, 15]);
const plans = await client.search('CarePlan', `patient=${person.id}&_include=CarePlan:goal`);
same('include', [inMode(plans, 'match').length, inMode(plans, 'include').length], [2, 5]);
const across = await client.search('Task', 'status=completed&_summary=count');
same('across patients', across.total, EXPECTED.tasks_completed);
// It takes no `_count`, so this is the first of two pages.
const everything = await client.readPatientEverything(person.id);
const next = everything.link.find((link) => link.relation === 'next').url;
const rest = await client.get(next);
const rows = [everything.entry.length, rest.entry.length];
same('readPatientEverything', rows, [50, everythingOf(0) - 50]);

const chained = await client.search('Goal', { 'patient.identifier': member(1) });
same('chained', chained.total, EXPECTED.of_person[1].Goal);
const inside = await client.get(client.fhirUrl('Patient', person.id, 'Goal'));
same('of the compartment', inside.total, EXPECTED.of_person[0].Goal);
const matched = await client.post(client.fhirUrl('Patient', '$match'), {
  resourceType: 'Parameters', parameter: [{ name: 'resource', resource: person }],
});
same('$match', matched.entry[0].resource.id, person.id);

const mine = await client.searchOne('Patient', { identifier: member(MINE) });
const goals = async () => (await client.search('Goal', `patient=${mine.id}`)).total;
const before = EXPECTED.of_person[MINE].Goal;
const stated = {
  ...goalOf(mine.id, 'Play the cello'),
  identifier: [{ system: 'http://clinic.example/goal', value: 'medplum' }],
};
const known = 'identifier=http://clinic.example/goal|medplum';
const goal = await client.createResourceIfNoneExist(stated, known);
same('create', [goal.meta.versionId, await goals()], ['1', before + 1]);
const again = await client.createResourceIfNoneExist(stated, known);
same('createResourceIfNoneExist', [again.id, await goals()], [goal.id, before + 1]);
const updated = await client.updateResource({ ...goal, lifecycleStatus: 'on-hold' });
same('update', [updated.meta.versionId, updated.lifecycleStatus], ['2', 'on-hold']);
const patched = await client.patchResource('Goal', goal.id, [
  { op: 'replace', path: '/lifecycleStatus', value: 'completed' },
]);
same('patch', [patched.meta.versionId, patched.lifecycleStatus], ['3', 'completed']);
const history = await client.readHistory('Goal', goal.id);
same('readHistory', history.entry.map((e) => e.resource.meta.versionId), ['3', '2', '1']);
const first = await client.readVersion('Goal', goal.id, '1');
same('readVersion', first.lifecycleStatus, 'active');
const outcome = await client.validateResource(stated);
same('validateResource', outcome.issue.some((issue) => issue.severity === 'error'), false);
const batch = await client.executeBatch({
  resourceType: 'Bundle',
  type: 'batch',
  entry: [
    { request: { method: 'GET', url: `Goal/${goal.id}` } },
    { request: { method: 'GET', url: `Goal?patient=${person.id}` } },
  ],
});
same('executeBatch', batch.entry.map((e) => e.response.status.slice(0, 3)), ['200', '200']);
same('its search', batch.entry[1].resource.total, EXPECTED.of_person[0].Goal);
await client.deleteResource('Goal', goal.id);
same('delete', await goals(), before);
await refused('a deleted one', () => client.readResource('Goal', goal.id), status, 'deleted');
await refused('a bad one', () => client.createResource({ resourceType: 'Goal' }), status, 'required');
done('@medplum/core');
