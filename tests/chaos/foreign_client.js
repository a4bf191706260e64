// What toxiproxy-node-client can do, done to the Toxiproxy whose address is the argument.
// Prints how many claims held; ends with 1 and the first that did not.

const assert = require("node:assert/strict");
const net = require("node:net");
const { Toxiproxy } = require("toxiproxy-node-client");

const toxiproxy = new Toxiproxy(process.argv[2]);
const FAILED = (status) => ({ message: `Request failed with status code ${status}` });
const TOXICS = {
  latency: { latency: 1000, jitter: 100 },
  bandwidth: { rate: 1000 },
  slow_close: { delay: 1000 },
  timeout: { timeout: 5000 },
  slicer: { average_size: 1000, size_variation: 1000, delay: 1000 },
  reset_peer: { timeout: 1000 },
  limit_data: { bytes: 42 },
};

function upstream() {
  const server = net.createServer((end) => end.on("error", () => {}).pipe(end));
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

function echoed(listen, text) {
  const [host, port] = listen.split(":");
  return new Promise((done, failed) => {
    const end = net.connect(Number(port), host, () => end.write(text));
    end.on("data", (data) => { done(data.toString()); end.destroy(); });
    end.on("error", failed);
    end.on("close", () => failed(new Error("closed")));
  });
}

const claims = {
  async "a proxy is created, found, listed and removed"() {
    const made = await toxiproxy.createProxy({ name: "node", listen: "localhost:0", upstream: "localhost:6379" });
    assert.match(made.listen, /^127\.0\.0\.1:\d+$/);
    assert.equal(made.enabled, true);
    assert.equal((await toxiproxy.get("node")).listen, made.listen);
    assert.deepEqual(Object.keys(await toxiproxy.getAll()), ["node"]);
    await made.remove();
    await assert.rejects(toxiproxy.get("node"), FAILED(404));
  },
  async "a name is taken once"() {
    const body = { name: "twice", listen: "localhost:0", upstream: "localhost:6379" };
    const made = await toxiproxy.createProxy(body);
    await assert.rejects(toxiproxy.createProxy(body), FAILED(409));
    await made.remove();
  },
  async "a proxy is disabled, and goes on elsewhere at the same port"() {
    const made = await toxiproxy.createProxy({ name: "moved", listen: "localhost:0", upstream: "localhost:1" });
    const off = await made.update({ enabled: false, listen: made.listen, upstream: made.upstream });
    assert.equal(off.enabled, false);
    const server = await upstream();
    const to = `127.0.0.1:${server.address().port}`;
    const on = await made.update({ enabled: true, listen: made.listen, upstream: to });
    assert.deepEqual([on.enabled, on.listen, on.upstream], [true, made.listen, to]);
    assert.equal(await echoed(on.listen, "hello"), "hello");
    await on.remove();
    server.close();
  },
  async "every toxic of the original is taken with its attributes"() {
    const made = await toxiproxy.createProxy({ name: "toxic", listen: "localhost:0", upstream: "localhost:1" });
    for (const [type, attributes] of Object.entries(TOXICS)) {
      const toxic = await made.addToxic({ type, attributes });
      assert.deepEqual(toxic.toJson(),
        { attributes, name: `${type}_downstream`, stream: "downstream", toxicity: 1, type });
    }
    await assert.rejects(made.addToxic({ type: "latency", attributes: TOXICS.latency }), FAILED(409));
    await assert.rejects(made.addToxic({ type: "down", attributes: {} }), FAILED(400));
    await made.remove();
  },
  async "a toxic is found, changed and removed"() {
    const made = await toxiproxy.createProxy({ name: "crud", listen: "localhost:0", upstream: "localhost:1" });
    const toxic = await made.addToxic({ type: "latency", attributes: TOXICS.latency });
    assert.deepEqual((await made.getToxic(toxic.name)).attributes, TOXICS.latency);
    const changed = await toxic.update({ attributes: { latency: 12345, jitter: 42 } });
    assert.deepEqual(changed.attributes, { latency: 12345, jitter: 42 });
    await toxic.remove();
    await assert.rejects(made.getToxic(toxic.name), FAILED(404));
    await made.remove();
  },
  async "populate and reset"() {
    const bodies = ["one", "two"].map((name) => ({ name, listen: "127.0.0.1:0", upstream: "localhost:1" }));
    const made = await toxiproxy.populate(bodies);
    assert.deepEqual(Object.keys(made), ["one", "two"]);
    await made.one.addToxic({ type: "timeout", attributes: { timeout: 0 } });
    await made.two.update({ enabled: false, listen: made.two.listen, upstream: made.two.upstream });
    await toxiproxy.reset();
    assert.equal((await toxiproxy.get("two")).enabled, true);
    await assert.rejects(made.one.getToxic("timeout_downstream"), FAILED(404));
    for (const proxy of Object.values(made)) await proxy.remove();
  },
  async "the version is told"() {
    const answer = await toxiproxy.getVersion();
    assert.match(typeof answer === "string" ? answer : JSON.stringify(answer.data), /"version": ?"\d+\.\d+\.\d+"/);
  },
};

async function main() {
  for (const proxy of Object.values(await toxiproxy.getAll())) await proxy.remove();
  for (const [claim, holds] of Object.entries(claims)) {
    try {
      await holds();
    } catch (error) {
      console.error(`not so: ${claim}: ${error.stack || error.message}`);
      process.exit(1);
    }
  }
  console.log(`${Object.keys(claims).length} claims hold`);
}

main();
