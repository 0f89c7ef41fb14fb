// node-zookeeper-client, written in JavaScript alone.
'use strict';

const zk = require('node-zookeeper-client');
const { direct, proxied, all, test, main, order, eventually, within, Queue, assert } = require('../tap.js');

const { ACL, CreateMode, Event, Exception, Id, Permission, State } = zk;

// Client gives the callbacks of node-zookeeper-client the shape of promises. With several results it answers a list.
class Client {
  constructor(inner) {
    this.inner = inner;
    this.states = new Queue();
    inner.on('state', (state) => this.states.push(state));
  }

  static async open(host = direct, sessionTimeout = 10000) {
    const client = new Client(zk.createClient(host, { sessionTimeout, spinDelay: 50 }));
    const connected = client.state(State.SYNC_CONNECTED);
    client.inner.connect();
    await connected;
    return client;
  }

  call(method, ...args) {
    const result = new Promise((resolve, reject) => {
      this.inner[method](...args, (err, ...results) => {
        if (err) reject(err);
        else resolve(results.length > 1 ? results : results[0]);
      });
    });
    return within(result, `${method} ${args[0]}`);
  }

  state(wanted) {
    return this.states.until(`state ${wanted}`, (state) => state === wanted);
  }

  async close() {
    const gone = this.state(State.DISCONNECTED);
    this.inner.close();
    await gone;
  }

  auth(credential) {
    this.inner.addAuthInfo('digest', Buffer.from(credential));
  }
}

for (const method of [
  'create', 'remove', 'removeRecursive', 'setData', 'getData', 'setACL', 'getACL', 'exists', 'getChildren',
  'listSubTreeBFS', 'mkdirp',
]) {
  Client.prototype[method] = function (...args) {
    return this.call(method, ...args);
  };
}

// refused expects an error of ZooKeeper.
function refused(promise, name) {
  return assert.rejects(promise, (err) => {
    assert.equal(err.getName?.(), name, `${err}`);
    assert.equal(err.getCode(), Exception[name]);
    return true;
  });
}

async function with_(run, ...hosts) {
  const clients = await Promise.all((hosts.length ? hosts : [direct]).map((host) => Client.open(host)));
  await run(...clients);
  for (const client of clients) await client.close();
}

const bytes = (text) => Buffer.from(text);
const long = (buffer) => buffer.readBigInt64BE(); // longs of a stat are buffers

async function saw(queue, type, path) {
  const event = await queue.next(`event ${type} of ${path}`);
  assert.deepEqual([event.getType(), event.getPath()], [type, path]);
}

test('connect, session and negotiated timeout', async () => {
  const client = await Client.open(direct, 600000);
  assert.equal(client.inner.getState(), State.SYNC_CONNECTED);
  assert.equal(client.inner.getSessionTimeout(), 40000);
  assert.notEqual(long(client.inner.getSessionId()), 0n);
  assert.equal(client.inner.getSessionPassword().length, 16);
  await client.close();
  const short = await Client.open(direct, 300);
  assert.equal(short.inner.getSessionTimeout(), 1000);
  await short.close();
});

test('create modes', () => with_(async (client) => {
  assert.equal(await client.create('/modes', bytes('data')), '/modes');
  assert.equal(await client.create('/modes/e', CreateMode.EPHEMERAL), '/modes/e');
  assert.equal(await client.create('/modes/s-', CreateMode.PERSISTENT_SEQUENTIAL), '/modes/s-0000000001');
  assert.equal(await client.create('/modes/es-', CreateMode.EPHEMERAL_SEQUENTIAL), '/modes/es-0000000002');
  const session = long(client.inner.getSessionId());
  for (const [path, owner] of [['/modes', 0n], ['/modes/e', session], ['/modes/es-0000000002', session]]) {
    const stat = await client.exists(path);
    assert.equal(long(stat.ephemeralOwner), owner, path);
  }
}));

test('create refused', () => with_(async (client) => {
  await client.create('/refused');
  await refused(client.create('/refused'), 'NODE_EXISTS');
  await refused(client.create('/refused/no/parent'), 'NO_NODE');
  await client.create('/refused/e', CreateMode.EPHEMERAL);
  await refused(client.create('/refused/e/x'), 'NO_CHILDREN_FOR_EPHEMERALS');
  await refused(client.create('/refused/x', [new ACL(Permission.ALL, new Id('nosuch', 'x'))]), 'INVALID_ACL');
  assert.throws(() => client.inner.create('relative', () => {}));
}));

test('getData and setData', () => with_(async (client) => {
  await client.create('/data', bytes('one'));
  let [data, stat] = await client.getData('/data');
  assert.equal(data.toString(), 'one');
  assert.deepEqual([stat.version, stat.dataLength, stat.numChildren], [0, 3, 0]);
  assert.equal(long(stat.czxid), long(stat.mzxid));
  stat = await client.setData('/data', bytes('three'), 0);
  assert.deepEqual([stat.version, stat.dataLength], [1, 5]);
  assert.ok(long(stat.mzxid) > long(stat.czxid));
  await refused(client.setData('/data', bytes('x'), 0), 'BAD_VERSION');
  stat = await client.setData('/data', bytes(''));
  assert.deepEqual([stat.version, stat.dataLength], [2, 0]);
  await refused(client.setData('/data/none', bytes('')), 'NO_NODE');
  await refused(client.getData('/data/none'), 'NO_NODE');

  const large = Buffer.alloc(1000000, 'zookeeper ');
  await client.setData('/data', large);
  [data] = await client.getData('/data');
  assert.ok(large.equals(data));
}));

test('exists, remove and children', () => with_(async (client) => {
  await client.create('/family');
  for (let i = 0; i < 100; i++) await client.create(`/family/c${i}`);
  const [children, stat] = await client.getChildren('/family');
  assert.deepEqual(children.sort(), Array.from({ length: 100 }, (_, i) => `c${i}`).sort());
  assert.deepEqual([stat.numChildren, stat.cversion], [100, 100]);
  assert.equal(await client.exists('/family/none'), null);
  await refused(client.getChildren('/family/none'), 'NO_NODE');
  await refused(client.remove('/family'), 'NOT_EMPTY');
  await refused(client.remove('/family/c0', 3), 'BAD_VERSION');
  await client.remove('/family/c0', 0);
  await refused(client.remove('/family/c0'), 'NO_NODE');
  await refused(client.remove('/'), 'BAD_ARGUMENTS');
}));

// listSubTreeBFS, and removeRecursive by it, see two levels only: they wait for a list to grow while async.reduce
// walks a copy of it.
test('mkdirp, listSubTreeBFS and removeRecursive', () => with_(async (client) => {
  assert.equal(await client.mkdirp('/tree/a', bytes('x')), '/tree/a');
  await client.mkdirp('/tree/b/c');
  await client.mkdirp('/tree/a'); // is there
  const [data] = await client.getData('/tree');
  assert.equal(data.toString(), 'x');
  assert.deepEqual((await client.listSubTreeBFS('/tree')).sort(), ['/tree', '/tree/a', '/tree/b']);
  await client.removeRecursive('/tree/b');
  await client.removeRecursive('/tree');
  assert.equal(await client.exists('/tree'), null);
}));

test('calls in order', () => with_(async (client) => {
  await client.create('/order');
  const results = [];
  for (let i = 0; i < 200; i++) {
    results.push(client.setData('/order', bytes(`${i}`), i), client.getData('/order'));
  }
  const all = await Promise.all(results);
  for (let i = 0; i < 200; i++) {
    assert.equal(all[2 * i].version, i + 1);
    assert.equal(all[2 * i + 1][0].toString(), `${i}`);
  }
}));

test('transactions', () => with_(async (client) => {
  const commit = (fill) => {
    const transaction = client.inner.transaction();
    fill(transaction);
    return new Promise((resolve) => transaction.commit((err, results) => resolve([err, results])));
  };
  await client.create('/multi', bytes('x'));
  let [err, results] = await commit((t) => t
    .check('/multi')
    .create('/multi/a', bytes('a'))
    .create('/multi/a/s-', CreateMode.EPHEMERAL_SEQUENTIAL)
    .setData('/multi', bytes('new'))
    .remove('/multi/a/s-0000000000'));
  assert.ifError(err);
  assert.equal(results.length, 5);
  assert.deepEqual([results[1].path, results[2].path], ['/multi/a', '/multi/a/s-0000000000']);
  assert.equal(results[3].stat.version, 1);
  assert.equal(await client.exists('/multi/a/s-0000000000'), null);

  [err, results] = await commit((t) => t
    .create('/multi/b')
    .check('/multi', 7)
    .remove('/multi/a'));
  assert.equal(err.getName(), 'BAD_VERSION');
  assert.deepEqual(results.map((r) => r.err), [Exception.OK, Exception.BAD_VERSION, Exception.RUNTIME_INCONSISTENCY]);
  assert.equal(await client.exists('/multi/b'), null);
  assert.notEqual(await client.exists('/multi/a'), null);
}));

test('ACLs', () => with_(async (client) => {
  await client.create('/acl', bytes('x'), ACL.READ_ACL_UNSAFE);
  await client.getData('/acl');
  await refused(client.setData('/acl', bytes('y')), 'NO_AUTH');
  await refused(client.create('/acl/x'), 'NO_AUTH');
  await refused(client.setACL('/acl', ACL.OPEN_ACL_UNSAFE), 'NO_AUTH');
  await client.create('/acl2');
  const two = [
    new ACL(Permission.READ | Permission.ADMIN, Id.ANYONE_ID_UNSAFE),
    new ACL(Permission.WRITE, new Id('ip', '10.0.0.0/8')),
  ];
  assert.equal((await client.setACL('/acl2', two, 0)).aversion, 1);
  await refused(client.setACL('/acl2', two, 0), 'BAD_VERSION');
  const [acls, stat] = await client.getACL('/acl2');
  assert.deepEqual(acls, two);
  assert.equal(stat.aversion, 1);
  await refused(client.setData('/acl2', bytes('')), 'NO_AUTH');
}));

test('digest auth, creator ACL, superuser', () => with_(async (owner, other, root) => {
  await refused(owner.create('/digest', ACL.CREATOR_ALL_ACL), 'INVALID_ACL'); // creator of no name
  owner.auth('bob:builder');
  await owner.create('/digest', bytes('x'), ACL.CREATOR_ALL_ACL);
  const [acls] = await owner.getACL('/digest');
  assert.deepEqual(acls, [new ACL(Permission.ALL, new Id('digest', 'bob:4rsXV9JgUbFl9ZE40xENilxlRV8='))]);
  await refused(other.getData('/digest'), 'NO_AUTH');
  other.auth('bob:wrong');
  await refused(other.getData('/digest'), 'NO_AUTH');
  other.auth('bob:builder');
  assert.equal((await other.getData('/digest'))[0].toString(), 'x');
  root.auth('super:secret');
  assert.equal((await root.setData('/digest', bytes('y'))).version, 1);
}, direct, direct, direct));

test('unknown auth scheme', async () => {
  const client = await Client.open();
  client.inner.addAuthInfo('nosuch', bytes('x'));
  await client.state(State.AUTH_FAILED);
});

test('watches fire once', () => with_(async (client, other) => {
  const seen = new Queue();
  assert.equal(await client.exists('/w', seen.push), null);
  await other.create('/w');
  await saw(seen, Event.NODE_CREATED, '/w');
  await client.getData('/w', seen.push);
  await other.setData('/w', bytes('1'));
  await other.setData('/w', bytes('2'));
  await saw(seen, Event.NODE_DATA_CHANGED, '/w');
  await client.getChildren('/w', seen.push); // would come after a second event
  assert.equal(seen.length, 0);
  await other.setData('/w', bytes('3'));
  await other.create('/w/a');
  await saw(seen, Event.NODE_CHILDREN_CHANGED, '/w');
  await client.exists('/w/a', seen.push);
  await other.remove('/w/a');
  await saw(seen, Event.NODE_DELETED, '/w/a');
  await client.exists('/w');
  assert.equal(seen.length, 0);
}, direct, direct));

test('several watchers of one path', () => with_(async (client) => {
  const [a, b] = [new Queue(), new Queue()];
  await client.create('/ws');
  await client.getData('/ws', a.push);
  await client.exists('/ws', b.push);
  await client.setData('/ws', bytes('x'));
  await saw(a, Event.NODE_DATA_CHANGED, '/ws');
  await saw(b, Event.NODE_DATA_CHANGED, '/ws');
}));

test('ephemerals end with their session', () => with_(async (other) => {
  const client = await Client.open();
  const seen = new Queue();
  await client.create('/eph', CreateMode.EPHEMERAL);
  await other.exists('/eph', seen.push);
  await client.close();
  await saw(seen, Event.NODE_DELETED, '/eph');
  assert.equal(await other.exists('/eph'), null);
}));

test('chroot', () => with_(async (client) => {
  await client.create('/root');
  const inside = await Client.open(`${direct}/root`);
  const seen = new Queue();
  await inside.exists('/x', seen.push);
  assert.equal(await inside.create('/x'), '/x');
  await saw(seen, Event.NODE_CREATED, '/x');
  assert.deepEqual((await client.getChildren('/root'))[0], ['x']);
  await inside.close();
}));

test('reconnect keeps session, ephemerals and auth', () => with_(async (client) => {
  const session = client.inner.getSessionId();
  client.auth('eve:pw');
  await client.create('/again', CreateMode.EPHEMERAL);
  await client.create('/again-eve', ACL.CREATOR_ALL_ACL);
  const back = client.state(State.DISCONNECTED).then(() => client.state(State.SYNC_CONNECTED));
  await order('drop');
  await back;
  assert.deepEqual(client.inner.getSessionId(), session);
  assert.notEqual(await client.exists('/again'), null);
  await client.setData('/again-eve', bytes('x'));
}, proxied));

test('watches are set again, and what was missed is told', () => with_(async (client, other) => {
  const [data, child, none, still] = [new Queue(), new Queue(), new Queue(), new Queue()];
  for (const path of ['/late', '/late/still']) await other.create(path);
  await client.getData('/late', data.push);
  await client.getChildren('/late', child.push);
  await client.exists('/late/new', none.push);
  await client.getData('/late/still', still.push);
  const away = client.state(State.DISCONNECTED);
  await order('cut');
  await away;
  await other.setData('/late', bytes('1'));
  await other.create('/late/new');
  const back = client.state(State.SYNC_CONNECTED);
  await order('open');
  await back;
  await saw(data, Event.NODE_DATA_CHANGED, '/late');
  await saw(child, Event.NODE_CHILDREN_CHANGED, '/late');
  await saw(none, Event.NODE_CREATED, '/late/new');
  await client.exists('/late');
  assert.equal(still.length, 0);
  await other.setData('/late/still', bytes('1'));
  await saw(still, Event.NODE_DATA_CHANGED, '/late/still');
}, proxied, direct));

test('expiry', () => with_(async (other) => {
  const client = await Client.open(proxied, 1000);
  const seen = new Queue();
  await client.create('/expire', CreateMode.EPHEMERAL);
  await other.exists('/expire', seen.push);
  await order('cut');
  await saw(seen, Event.NODE_DELETED, '/expire');
  await order('open');
  await client.state(State.EXPIRED);
}));

test('pings keep the session', () => with_(async (other) => {
  const client = await Client.open(direct, 1000);
  await client.create('/idle', CreateMode.EPHEMERAL);
  await new Promise((resolve) => setTimeout(resolve, 2500)); // two and a half timeouts
  assert.notEqual(await other.exists('/idle'), null);
  await client.close();
  await eventually('/idle is gone', async () => (await other.exists('/idle')) === null);
}));

// Each client writes a node of its own, whose version is the number of writes.
if (all) test('leaders die', () => with_(async (...clients) => {
  const [first] = clients;
  const sessions = clients.map((client) => long(client.inner.getSessionId()));
  await first.create('/dies');
  const seen = clients.map(() => new Queue());
  for (const [i, client] of clients.entries()) {
    await client.create(`/dies/${i}`);
    await client.create(`/dies/e${i}`, CreateMode.EPHEMERAL);
    await client.exists('/dies/later', seen[i].push);
  }
  let over = false;
  const work = clients.map(async (client, i) => {
    let n = 0;
    for (let lost = false; !over || lost; ) {
      try {
        await client.setData(`/dies/${i}`, bytes(`${n}`), n);
      } catch (err) {
        const name = err.getName?.();
        if (name === 'CONNECTION_LOSS') {
          lost = true;
          continue;
        }
        if (name !== 'BAD_VERSION' || !lost) throw err; // else it was done, and its answer lost
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
  const other = await Client.open(all);
  for (const [i] of clients.entries()) {
    assert.equal((await other.exists(`/dies/${i}`)).version, done[i]);
    assert.equal(long((await other.exists(`/dies/e${i}`)).ephemeralOwner), sessions[i]);
  }
  await other.create('/dies/later');
  for (const queue of seen) await saw(queue, Event.NODE_CREATED, '/dies/later');
  await other.close();
}, all, all, all));

main();
