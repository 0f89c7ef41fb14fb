// What both clients' tests have in common: tests that print TAP, waits, and orders to the proxy.
'use strict';

const assert = require('node:assert/strict');
const net = require('node:net');

const direct = process.env.ZK_ADDR;
const proxied = process.env.ZK_PROXY;
const all = process.env.ZK_ALL; // all servers of an ensemble, if direct is one of several

const patience = 20000; // ms, for what has to happen
const tests = [];

function test(name, run) {
  tests.push({ name, run });
}

// within rejects when a promise takes longer than patience.
function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Queue keeps what a callback is called with, so that a test can wait for it, one at a time.
class Queue {
  #items = [];
  #waiting = [];

  push = (item) => {
    const next = this.#waiting.shift();
    if (next) next(item);
    else this.#items.push(item);
  };

  next(what) {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    return within(new Promise((resolve) => this.#waiting.push(resolve)), what);
  }

  // until waits for an item that is as wanted, over others.
  async until(what, wanted) {
    for (;;) {
      const item = await this.next(what);
      if (wanted(item)) return item;
    }
  }

  get length() {
    return this.#items.length;
  }
}

async function eventually(what, ok) {
  for (const end = Date.now() + patience; Date.now() < end; ) {
    if (await ok()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain: ${what}`);
}

// order tells the proxy to "drop", "cut" or "open" its connections; with an ensemble, "restart" kills the leader and
// starts it again.
async function order(what) {
  const [, host, port] = process.env.ZK_CONTROL.match(/^(.*):(\d+)$/);
  const socket = net.connect(Number(port), host);
  try {
    const answer = within(
      new Promise((resolve, reject) => {
        socket.once('data', resolve);
        socket.once('error', reject);
      }),
      'the proxy',
    );
    socket.write(`${what}\n`);
    assert.equal((await answer).toString(), 'ok\n');
  } finally {
    socket.destroy();
  }
}

async function main() {
  let bad = 0;
  for (const { name, run } of tests) {
    try {
      await order('open'); // whatever the test before it left
      await within(run(), 'the end of the test');
      console.log(`ok - ${name}`);
    } catch (err) {
      bad = 1;
      console.log(`not ok - ${name}`);
      for (const line of String(err.stack || err).split('\n')) console.log(`# ${line}`);
    }
  }
  // Clients of failed tests may still be open, and would keep node alive.
  process.exit(bad);
}

module.exports = { direct, proxied, all, test, main, order, eventually, within, Queue, assert };
