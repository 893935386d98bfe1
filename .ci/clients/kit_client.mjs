// fhir-kit-client, as its README shows it.
import { Client } from 'fhir-kit-client';
import {
  BASE, EXPECTED, done, everythingOf, goalOf, inMode, member, refused, same,
} from './check.mjs';

const MINE = 8; // the person this client writes about
const status = (error) => error.response?.status ?? error.status ?? String(error);

const client = new Client({ baseUrl: BASE });
const statement = await client.capabilityStatement();
same('capability', statement.fhirVersion, '4.0.1');
const byMember = async (n) => {
  const searchParams = { identifier: member(n) };
  return (await client.search({ resourceType: 'Patient', searchParams })).entry[0].resource;
};
const person = await byMember(0);
same('read', (await client.read({ resourceType: 'Patient', id: person.id })).id, person.id);
const version = { resourceType: 'Patient', id: person.id, version: person.meta.versionId };
same('vread', (await client.vread(version)).id, person.id);

for (const [resourceType, count] of Object.entries(EXPECTED.of_person[0])) {
  if (['Patient', 'Organization', 'Practitioner'].includes(resourceType)) continue;
  const searchParams = { patient: person.id };
  const found = await client.search({ resourceType, searchParams });
  same(`${resourceType} total`, found.total, count);
  const compartment = { resourceType: 'Patient', id: person.id };
  const inside = await client.compartmentSearch({ resourceType, compartment });
  same(`${resourceType} of the compartment`, inside.total, count);
  const posted = await client.resourceSearch({
    resourceType, searchParams, options: { postSearch: true },
  });
  same(`${resourceType} by POST`, posted.total, count);
}
const ids = new Set();
const pages = [];
let page = await client.search({
  resourceType: 'Observation', searchParams: { patient: person.id, _count: 10 },
});
while (page) {
  pages.push(page.entry.length);
  page.entry.forEach((entry) => ids.add(entry.resource.id));
  page = await client.nextPage({ bundle: page });
}
same('pages', pages, [10, 10, 10, 10, 10, 10, 5]);
same('each once', ids.size, EXPECTED.of_person[0].Observation);
const plans = await client.search({
  resourceType: 'CarePlan', searchParams: { patient: person.id, _include: 'CarePlan:goal' },
});
same('include', [inMode(plans, 'match').length, inMode(plans, 'include').length], [2, 5]);
const everything = await client.operation({
  name: '$everything', resourceType: 'Patient', id: person.id, method: 'GET',
});
let all = 0;
page = everything;
while (page) {
  all += page.entry.length;
  page = await client.nextPage({ bundle: page });
}
same('$everything over all pages', all, everythingOf(0));
const matched = await client.operation({
  name: 'match',
  resourceType: 'Patient',
  input: { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: person }] },
});
same('$match', matched.entry[0].resource.id, person.id);
const owner = await client.resolve({ reference: plans.entry[0].resource.subject.reference });
same('resolve', owner.id, person.id);

const mine = await byMember(MINE);
const goals = async () =>
  (await client.search({ resourceType: 'Goal', searchParams: { patient: mine.id } })).total;
const before = EXPECTED.of_person[MINE].Goal;
const goal = await client.create({ resourceType: 'Goal', body: goalOf(mine.id, 'Row a mile') });
same('create', [goal.meta.versionId, await goals()], ['1', before + 1]);
const held = { ...goal, lifecycleStatus: 'on-hold' };
const updated = await client.update({ resourceType: 'Goal', id: goal.id, body: held });
same('update', [updated.meta.versionId, updated.lifecycleStatus], ['2', 'on-hold']);
const patched = await client.patch({
  resourceType: 'Goal',
  id: goal.id,
  jsonPatch: [{ op: 'replace', path: '/lifecycleStatus', value: 'completed' }],
});
same('patch', [patched.meta.versionId, patched.lifecycleStatus], ['3', 'completed']);
const history = await client.history({ resourceType: 'Goal', id: goal.id });
const versions = history.entry.map((entry) => entry.resource.meta.versionId);
same('history', versions, ['3', '2', '1']);
const stale = { headers: { 'If-Match': 'W/"1"' } };
await refused(
  'a stale update',
  () => client.update({ resourceType: 'Goal', id: goal.id, body: held, options: stale }),
  status,
  412,
);
await client.delete({ resourceType: 'Goal', id: goal.id });
same('delete', await goals(), before);
await refused('a deleted one', () => client.read({ resourceType: 'Goal', id: goal.id }), status, 410);
const gone = await client.history({ resourceType: 'Goal', id: goal.id });
same('its history', gone.entry.map((entry) => entry.request.method)[0], 'DELETE');
same('history of the type', (await client.history({ resourceType: 'Goal' })).type, 'history');
same('history of all', (await client.systemHistory()).type, 'history');

const transaction = await client.transaction({
  body: {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:7a4d43c5-2f6a-4d3b-9a39-0d2a3c5c6f01',
        resource: goalOf(mine.id, 'Ski in winter'),
        request: { method: 'POST', url: 'Goal' },
      },
      {
        resource: {
          resourceType: 'CarePlan',
          status: 'active',
          intent: 'plan',
          title: 'Plan of the clinic',
          subject: { reference: `Patient/${mine.id}` },
          goal: [{ reference: 'urn:uuid:7a4d43c5-2f6a-4d3b-9a39-0d2a3c5c6f01' }],
        },
        request: { method: 'POST', url: 'CarePlan' },
      },
    ],
  },
});
const made = transaction.entry.map((entry) => entry.response);
same('transaction', made.map((response) => response.status.slice(0, 3)), ['201', '201']);
const [goalId, planId] = made.map((response) => response.location.split('/').at(-3));
const plan = await client.read({ resourceType: 'CarePlan', id: planId });
same('its reference', plan.goal[0].reference, `Goal/${goalId}`);
const batch = await client.batch({
  body: {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [
      { request: { method: 'DELETE', url: `CarePlan/${planId}` } },
      { request: { method: 'DELETE', url: `Goal/${goalId}` } },
      { request: { method: 'GET', url: `Goal?patient=${mine.id}` } },
    ],
  },
});
const answers = batch.entry.map((entry) => entry.response.status.slice(0, 3));
same('batch', answers, ['204', '204', '200']);
same('what is left', batch.entry[2].resource.total, before);
await refused('unknown type', () => client.search({ resourceType: 'Gaol' }), status, 404);
done('fhir-kit-client');
