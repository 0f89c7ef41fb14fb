// zookeeper, which wraps the C client for Node.js.
'use strict';

const ZooKeeper = require('zookeeper');
const { direct, proxied, all, test, main, order, eventually, within, Queue, assert } = require('../tap.js');

const { constants } = ZooKeeper;

// open connects; sessions events (connecting, close) go to its queue.
async function open(host = direct, timeout = 10000, more = {}) {
  const client = new ZooKeeper({ connect: host, timeout, debug_level: 0, host_order_deterministic: false, ...more });
  client.changes = new Queue();
  for (const event of ['connect', 'connecting', 'close']) client.on(event, () => client.changes.push(event));
  client.init({});
  await client.changes.until('connect', (event) => event === 'connect');
  return client;
}

async function with_(run, ...hosts) {
  const clients = await Promise.all((hosts.length ? hosts : [direct]).map((host) => open(host)));
  await run(...clients);
  for (const client of clients) client.close();
}

// call gives the callback methods (a_…, aw_…) the shape of promises: the list after rc and text, or an error with a code.
function call(client, method, ...args) {
  const result = new Promise((resolve, reject) => {
    client[method](...args, (rc, text, ...results) => {
      if (rc === 0) resolve(results);
      else reject(Object.assign(new Error(`${method} ${args[0]}: ${rc} ${text}`), { code: rc }));
    });
  });
  return within(result, `${method} ${args[0]}`);
}

const refused = (promise, code) => assert.rejects(promise, (err) => {
  assert.equal(err.code, code, `${err}`);
  return true;
});

// A watcher is called with type, state and path.
const watcher = (queue) => (type, state, path) => {
  if (type !== constants.ZOO_SESSION_EVENT) queue.push([type, path]);
};
async function saw(queue, type, path) {
  assert.deepEqual(await queue.next(`event ${type} of ${path}`), [type, path]);
}

test('connect and session', async () => {
  const client = await open(direct, 10000);
  assert.equal(client.state, constants.ZOO_CONNECTED_STATE);
  assert.equal(client.timeout, 10000);
  assert.match(client.client_id, /^[0-9a-f]+$/);
  assert.notEqual(BigInt(`0x${client.client_id}`), 0n);
  client.close();
});

test('create modes', () => with_(async (client) => {
  assert.equal(await client.create('/nmodes', 'x', 0), '/nmodes');
  assert.equal(await client.create('/nmodes/e', '', constants.ZOO_EPHEMERAL), '/nmodes/e');
  assert.equal(await client.create('/nmodes/s-', '', constants.ZOO_SEQUENCE), '/nmodes/s-0000000001');
  const both = constants.ZOO_EPHEMERAL | constants.ZOO_SEQUENCE;
  assert.equal(await client.create('/nmodes/es-', '', both), '/nmodes/es-0000000002');
  assert.equal(await client.create('/nmodes/t', '', constants.ZOO_PERSISTENT_WITH_TTL, 60000), '/nmodes/t');
  assert.equal(await client.create('/nmodes/c', '', constants.ZOO_CONTAINER), '/nmodes/c');
  const stat = await client.exists('/nmodes/e');
  assert.equal(BigInt(`0x${stat.ephemeralOwner}`), BigInt(`0x${client.client_id}`));
  await refused(call(client, 'a_create', '/nmodes', '', 0), constants.ZNODEEXISTS);
  await refused(call(client, 'a_create', '/nmodes/no/parent', '', 0), constants.ZNONODE);
  await refused(call(client, 'a_create', '/nmodes/e/x', '', 0), constants.ZNOCHILDRENFOREPHEMERALS);
}));

test('get, set, exists and delete', () => with_(async (client) => {
  await client.create('/ndata', 'one', 0);
  let [stat, data] = await client.get('/ndata', false);
  assert.deepEqual([stat.version, stat.dataLength, data.toString()], [0, 3, 'one']);
  stat = await client.set('/ndata', 'three', 0);
  assert.deepEqual([stat.version, stat.dataLength], [1, 5]);
  await refused(call(client, 'a_set', '/ndata', 'x', 0), constants.ZBADVERSION);
  await refused(call(client, 'a_get', '/ndata/none', false), constants.ZNONODE);
  await refused(call(client, 'a_exists', '/ndata/none', false), constants.ZNONODE);
  assert.equal(await client.pathExists('/ndata/none', false), false);
  assert.equal(await client.pathExists('/ndata', false), true);
  await client.create('/ndata/child', '', 0);
  await refused(call(client, 'a_delete_', '/ndata', -1), constants.ZNOTEMPTY);
  await refused(call(client, 'a_delete_', '/ndata/child', 4), constants.ZBADVERSION);
  await client.delete_('/ndata/child', 0);
  await client.delete_('/ndata', -1);
  await refused(call(client, 'a_delete_', '/ndata', -1), constants.ZNONODE);
}));

test('children, mkdirp and sync', () => with_(async (client) => {
  await within(new Promise((resolve, reject) => client.mkdirp('/ntree/a/b', (err) => (err ? reject(err) : resolve()))), 'mkdirp');
  await client.create('/ntree/c', '', 0);
  assert.deepEqual((await client.get_children('/ntree', false)).sort(), ['a', 'c']);
  const [names, stat] = await client.get_children2('/ntree', false);
  assert.deepEqual([names.sort(), stat.numChildren], [['a', 'c'], 2]);
  await refused(call(client, 'a_get_children', '/ntree/none', false), constants.ZNONODE);
  await call(client, 'a_sync', '/ntree');
}));

test('ACLs and digest auth', () => with_(async (owner, other) => {
  await within(new Promise((resolve, reject) => {
    owner.add_auth('digest', 'bob:builder', (rc) => (rc === 0 ? resolve() : reject(new Error(`${rc}`))));
  }), 'add_auth');
  await owner.create('/nacl', 'x', 0);
  const mine = [{ perms: constants.ZOO_PERM_ALL, scheme: 'digest', auth: 'bob:4rsXV9JgUbFl9ZE40xENilxlRV8=' }];
  await owner.set_acl('/nacl', 0, mine);
  const [acl, stat] = await owner.get_acl('/nacl');
  assert.deepEqual([acl.length, acl[0].perms, acl[0].scheme, acl[0].auth], [1, 31, 'digest', mine[0].auth]);
  assert.equal(stat.aversion, 1);
  await refused(call(other, 'a_get', '/nacl', false), constants.ZNOAUTH);
  await refused(call(other, 'a_set_acl', '/nacl', -1, mine), constants.ZNOAUTH);
  assert.equal((await owner.get('/nacl', false))[1].toString(), 'x');
}, direct, direct));

test('watches', () => with_(async (client, other) => {
  const seen = new Queue();
  await refused(call(client, 'aw_exists', '/nw', watcher(seen)), constants.ZNONODE);
  await other.create('/nw', '', 0);
  await saw(seen, constants.ZOO_CREATED_EVENT, '/nw');
  await call(client, 'aw_get', '/nw', watcher(seen));
  await other.set('/nw', '1', -1);
  await other.set('/nw', '2', -1);
  await saw(seen, constants.ZOO_CHANGED_EVENT, '/nw');
  await call(client, 'aw_get_children', '/nw', watcher(seen));
  assert.equal(seen.length, 0);
  await other.create('/nw/c', '', 0);
  await saw(seen, constants.ZOO_CHILD_EVENT, '/nw');
  await call(client, 'aw_get_children2', '/nw/c', watcher(seen));
  await other.delete_('/nw/c', -1);
  await saw(seen, constants.ZOO_DELETED_EVENT, '/nw/c');
}, direct, direct));

test('config and reconfig', () => with_(async (client) => {
  await call(client, 'a_getconfig', false);
  await refused(call(client, 'a_reconfig', 'server.2=127.0.0.1:2:3;4', '', '', -1), -123);
}));

test('reconnect, with watches set again', () => with_(async (client, other) => {
  const [data, missed] = [new Queue(), new Queue()];
  const session = client.client_id;
  await other.create('/nagain', '', 0);
  await other.create('/nmissed', '', 0);
  await client.create('/neph', '', constants.ZOO_EPHEMERAL);
  await call(client, 'aw_get', '/nagain', watcher(data));
  await call(client, 'aw_get', '/nmissed', watcher(missed));
  await order('cut');
  await client.changes.until('connecting', (event) => event === 'connecting');
  await other.set('/nmissed', 'x', -1);
  await order('open');
  await client.changes.until('connect', (event) => event === 'connect');
  await saw(missed, constants.ZOO_CHANGED_EVENT, '/nmissed');
  assert.equal(client.client_id, session);
  assert.equal(await other.pathExists('/neph', false), true);
  assert.equal(data.length, 0);
  await other.set('/nagain', 'x', -1);
  await saw(data, constants.ZOO_CHANGED_EVENT, '/nagain');
}, proxied, direct));

test('session taken over', () => with_(async (other) => {
  const client = await open(proxied);
  await client.create('/nover', '', constants.ZOO_EPHEMERAL);
  const { client_id, client_password } = client;
  await order('cut');
  client.close(); // which cannot tell the server
  await order('open');
  const next = await open(direct, 10000, { client_id, client_password });
  assert.equal(next.client_id, client_id);
  assert.equal(await next.pathExists('/nover', false), true);
  next.close();
  await eventually('/nover is gone', async () => !(await other.pathExists('/nover', false)));
}));

test('expiry', () => with_(async (other) => {
  const client = await open(proxied, 1000);
  const seen = new Queue();
  await client.create('/nexpire', '', constants.ZOO_EPHEMERAL);
  await call(other, 'aw_exists', '/nexpire', watcher(seen));
  await order('cut');
  await saw(seen, constants.ZOO_DELETED_EVENT, '/nexpire');
  await order('open');
  await client.changes.until('close', (event) => event === 'close');
}));

// Each client writes a node of its own, whose version is the number of writes.
if (all) test('leaders die', () => with_(async (...clients) => {
  const [first] = clients;
  const sessions = clients.map((client) => client.client_id);
  await first.create('/ndies', '', 0);
  const seen = clients.map(() => new Queue());
  for (const [i, client] of clients.entries()) {
    await client.create(`/ndies/${i}`, '', 0);
    await client.create(`/ndies/e${i}`, '', constants.ZOO_EPHEMERAL);
    await refused(call(client, 'aw_exists', '/ndies/later', watcher(seen[i])), constants.ZNONODE);
  }
  let over = false;
  const work = clients.map(async (client, i) => {
    let n = 0;
    for (let lost = false; !over || lost; ) {
      try {
        await call(client, 'a_set', `/ndies/${i}`, `${n}`, n);
      } catch (err) {
        if (err.code === constants.ZCONNECTIONLOSS || err.code === constants.ZOPERATIONTIMEOUT) {
          lost = true;
          continue;
        }
        if (err.code !== constants.ZBADVERSION || !lost) throw err; // else it was done, and its answer lost
      }
      lost = false;
      n++;
    }
    return n;
  });
  for (let i = 0; i < 3; i++) await order('restart');
  over = true;
  const done = await Promise.all(work);
  assert.ok(Math.max(...done) > 0);
  const other = await open(all);
  for (const [i] of clients.entries()) {
    assert.equal((await other.exists(`/ndies/${i}`)).version, done[i]);
    assert.equal(BigInt(`0x${(await other.exists(`/ndies/e${i}`)).ephemeralOwner}`), BigInt(`0x${sessions[i]}`));
  }
  await other.create('/ndies/later', '', 0);
  for (const queue of seen) await saw(queue, constants.ZOO_CREATED_EVENT, '/ndies/later');
  other.close();
}, all, all, all));

main();
