// fhirclient, the SMART JavaScript client, as its documentation shows it.
import smart from 'fhirclient';
import {
  BASE, EXPECTED, done, everythingOf, goalOf, inMode, member, refused, same,
} from './check.mjs';

const MINE = 9; // the person this client writes about
const status = (error) => error.status ?? error.statusCode ?? String(error);

// In node a client belongs to a request of the app's own server; this one has none.
const client = smart({ headers: {} }, {}).client({ serverUrl: BASE });
same('release', await client.getFhirRelease(), 4);
const found = await client.request(`Patient?identifier=${encodeURIComponent(member(0))}`);
const person = found.entry[0].resource;
same('read', (await client.request(`Patient/${person.id}`)).id, person.id);

for (const [kind, count] of Object.entries(EXPECTED.of_person[0])) {
  if (['Patient', 'Organization', 'Practitioner'].includes(kind)) continue;
  const all = await client.request(
    `${kind}?patient=${person.id}&_count=10`, { pageLimit: 0, flat: true },
  );
  same(`${kind} over all pages`, new Set(all.map((one) => one.id)).size, count);
  same(`${kind}, each once`, all.length, count);
}
const pages = await client.request(
  `Observation?patient=${person.id}&_count=30`, { pageLimit: 2 },
);
same('two pages', pages.map((page) => page.entry.length), [30, 30]);
const seen = [];
await client.request(`Observation?patient=${person.id}&_count=30`, {
  pageLimit: 0, onPage: (page) => seen.push(page.entry.length),
});
same('page by page', seen, [30, 30, 5]);

const plan = await client.request(`CarePlan?patient=${person.id}&_tag=woven`);
const woven = await client.request(`CarePlan/${plan.entry[0].resource.id}`, {
  resolveReferences: ['subject', 'goal'],
});
same('resolved subject', woven.subject.id, person.id);
same('resolved goals', woven.goal.filter((goal) => goal.lifecycleStatus).length, 5);
const graph = await client.request(`CarePlan?patient=${person.id}&_include=CarePlan:goal`);
same('include', [inMode(graph, 'match').length, inMode(graph, 'include').length], [2, 5]);
const everything = await client.request(
  `Patient/${person.id}/$everything`, { pageLimit: 0, flat: true },
);
same('$everything', everything.length, everythingOf(0));
const rates = await client.request(
  `Observation?patient=${person.id}&code=http://loinc.org|8867-4`, { pageLimit: 0, flat: true },
);
const byCode = client.byCode(rates, 'code');
same('byCode', byCode['8867-4'].length, EXPECTED.of_person[0].Observation);
const path = 'entry.0.resource.name.0.family';
same('getPath', client.getPath(found, path), 'Quistgaard');

const chained = await client.request(`Goal?patient.identifier=${encodeURIComponent(member(1))}`);
same('chained', chained.total, EXPECTED.of_person[1].Goal);
const inside = await client.request(`Patient/${person.id}/Goal`);
same('of the compartment', inside.total, EXPECTED.of_person[0].Goal);
const matched = await client.request({
  url: 'Patient/$match',
  method: 'POST',
  headers: { 'content-type': 'application/fhir+json' },
  body: JSON.stringify({
    resourceType: 'Parameters', parameter: [{ name: 'resource', resource: person }],
  }),
});
same('$match', matched.entry[0].resource.id, person.id);

const mine = (await client.request(`Patient?identifier=${encodeURIComponent(member(MINE))}`))
  .entry[0].resource;
const goals = async () => (await client.request(`Goal?patient=${mine.id}`)).total;
const before = EXPECTED.of_person[MINE].Goal;
const goal = await client.create(goalOf(mine.id, 'Sing in a choir'));
same('create', [goal.meta.versionId, await goals()], ['1', before + 1]);
const updated = await client.update({ ...goal, lifecycleStatus: 'on-hold' });
same('update', [updated.meta.versionId, updated.lifecycleStatus], ['2', 'on-hold']);
const patched = await client.patch(`Goal/${goal.id}`, [
  { op: 'replace', path: '/lifecycleStatus', value: 'completed' },
]);
same('patch', [patched.meta.versionId, patched.lifecycleStatus], ['3', 'completed']);
const history = await client.request(`Goal/${goal.id}/_history`);
same('history', history.total, 3);
await client.delete(`Goal/${goal.id}`);
same('delete', await goals(), before);
await refused('a deleted one', () => client.request(`Goal/${goal.id}`), status, 410);
const dropped = client.create({ ...goalOf(mine.id, 'x'), lifecycleStatus: 'someday' });
await refused('a bad one', () => dropped, status, 422);
done('fhirclient (JavaScript)');
