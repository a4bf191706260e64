// The chat protocol in a browser, by hand: frames, MessagePack, and a queue of what came.

const TYPES = { LOGIN: 0x01, LOGGED_IN: 0x02, PING: 0x03, PONG: 0x04, SEND: 0x10, SENT: 0x11, SEND_PACKAGE: 0x12,
  PACKAGE_SENT: 0x13, PUSH: 0x20, PUSHED: 0x21, PULL: 0x22, PULLED: 0x23, BYE: 0x41, ERROR: 0x7f };

function number(prefix, value, bytes) {
  const out = [prefix];
  for (let shift = bytes - 1; shift >= 0; shift--) out.push(Number((BigInt(value) >> BigInt(8 * shift)) & 255n));
  return out;
}

function pack(value) {
  if (value === null) return [Uint8Array.of(0xc0)];
  if (value instanceof Uint8Array) return [Uint8Array.from(number(0xc6, value.length, 4)), value];
  if (typeof value === "string") {
    const text = new TextEncoder().encode(value);
    return [Uint8Array.from(number(0xdb, text.length, 4)), text];
  }
  if (Array.isArray(value)) return [Uint8Array.from(number(0xdc, value.length, 2)), ...value.flatMap(pack)];
  return [Uint8Array.from(number(0xcf, value, 8))];
}

function unpack(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  const take = (bytes) => data.subarray(at, (at += bytes));
  const unsigned = (bytes) => {
    let value = 0n;
    for (const byte of take(bytes)) value = (value << 8n) | BigInt(byte);
    return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  };
  const text = (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(take(bytes));
  const list = (length) => Array.from({ length }, item);
  function item() {
    const head = view.getUint8(at++);
    if (head < 0x80) return head;
    if (head >= 0x90 && head < 0xa0) return list(head & 15);
    if (head >= 0xa0 && head < 0xc0) return text(head & 31);
    switch (head) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: case 0xc5: case 0xc6: return take(unsigned(1 << (head - 0xc4))).slice();
      case 0xcc: case 0xcd: case 0xce: case 0xcf: return unsigned(1 << (head - 0xcc));
      case 0xd9: case 0xda: case 0xdb: return text(unsigned(1 << (head - 0xd9)));
      case 0xdc: case 0xdd: return list(unsigned(head === 0xdc ? 2 : 4));
      default: throw new Error(`MessagePack type ${head} is not of the protocol`);
    }
  }
  const value = item();
  if (at !== data.length) throw new Error("bytes after the fields");
  return value;
}

function frame(type, fields) {
  const body = new Blob(fields === undefined ? [] : pack(fields));
  const header = Uint8Array.from([0xc7, TYPES[type], 0, ...number(0, body.size, 4)]);
  return new Blob([header, body]);
}

class Chat {
  static connect(url) {
    return new Promise((resolve, reject) => {
      const chat = new Chat(new WebSocket(url));
      chat.socket.onopen = () => resolve(chat);
      chat.socket.onerror = () => reject(new Error("the WebSocket did not open"));
    });
  }

  constructor(socket) {
    this.socket = socket;
    this.came = [];
    this.waiting = [];
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.take(new Uint8Array(data));
    this.closed = new Promise((resolve) => { socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean }); });
  }

  take(data) {
    const length = new DataView(data.buffer).getUint32(4);
    if (data[0] !== 0xc7 || data.length !== 8 + length) throw new Error("not one whole frame a message");
    this.came.push({ type: data[1], fields: unpack(data.subarray(8)) });
    this.waiting.splice(0).forEach((wake) => wake());
  }

  // In one turn of the event loop: the frames leave one directly behind the other.
  async send(...frames) {
    const whole = await Promise.all(frames.map(([type, fields]) => frame(type, fields).arrayBuffer()));
    whole.forEach((data) => this.socket.send(data));
  }

  // The fields of the next message of a type, whatever came before it.
  async next(type) {
    for (;;) {
      const found = this.came.findIndex((each) => each.type === TYPES[type]);
      if (found >= 0) return this.came.splice(found, 1)[0].fields;
      await new Promise((wake) => this.waiting.push(wake));
    }
  }
}

// A body that both ends can make: every byte value, and no period of 256.
const pattern = (size, seed) => Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8) + seed) & 255);

const hex = async (data) => Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", data)),
  (byte) => byte.toString(16).padStart(2, "0")).join("");

// A good header, and one byte more than a frame's body may have.
function tooLarge() {
  const data = new Uint8Array(8 + (1 << 20) + 1);
  data.set([0xc7, TYPES.PUSHED, 0, 0, 0, 0x10, 0, 0]);
  return data;
}
