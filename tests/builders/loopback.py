"""An aiohttp application on a free port of this machine, for as long as a block lasts."""

from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def on_loopback(answer):
    """Serve every path with one handler; yield the address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
