"""A stand-in for Freqtrade's REST API, with one open and one closed trade."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPEN = {
    "trade_id": 7,
    "pair": "BTC/USDT:USDT",
    "is_short": False,
    "is_open": True,
    "enter_tag": "shorts_above",
    "open_timestamp": 1_768_000_000_000,
    "open_rate": 100.0,
    "stop_loss_abs": 97.0,
    "leverage": 3.0,
    "close_timestamp": None,
    "close_rate": None,
    "profit_ratio": 0.01,
    "liquidation_price": float("nan"),
}
CLOSED = OPEN | {"trade_id": 6, "is_open": False, "close_timestamp": 1_768_000_600_000, "close_rate": 103.0}
PLAN = {"version": 2, "side": "long", "entry_price": 100.0, "stop": 97.0, "first_target": 104.0}
ANSWERS = {
    "/api/v1/status": [OPEN],
    "/api/v1/trades": {"trades": [CLOSED, OPEN], "trades_count": 2},
    "/api/v1/trades/open/custom-data": [
        {"trade_id": 7, "custom_data": [{"key": "plan", "type": "dict", "value": PLAN}]}
    ],
}


@contextmanager
def bot_server(answers):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = answers.get(self.path.partition("?")[0])
            body = json.dumps({"detail": "none"} if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
