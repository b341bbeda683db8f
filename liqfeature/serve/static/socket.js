// The websocket: it comes back by itself, and says when it last heard something.

const PAUSES = [500, 1000, 2000, 4000, 8000];

export class Socket {
  constructor({ onMessage, onOpen, onLost }) {
    Object.assign(this, { onMessage, onOpen, onLost, pair: "", attempt: 0, heard: 0, open: false });
  }

  async connect(askToken) {
    this.askToken = askToken;
    try {
      const token = await askToken();
      const socket = new WebSocket(new URL("ws", location.href).href.replace(/^http/, "ws"));
      this.socket = socket;
      socket.onopen = () => {
        socket.send(JSON.stringify({ token }));
        this.attempt = 0;
        this.open = true;
        this.watch(this.pair);
        this.onOpen();
      };
      socket.onmessage = ({ data }) => {
        this.heard = performance.now();
        this.onMessage(JSON.parse(data));
      };
      socket.onclose = () => this.again();
    } catch {
      this.again();
    }
  }

  again() {
    this.open = false;
    this.onLost();
    setTimeout(() => this.connect(this.askToken), PAUSES[Math.min(this.attempt++, PAUSES.length - 1)]);
  }

  watch(pair) {
    this.pair = pair;
    if (this.open && pair) this.socket.send(JSON.stringify({ pair }));
  }
}
