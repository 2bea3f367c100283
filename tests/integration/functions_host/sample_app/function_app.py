"""A function app to try a Functions host on: it does what its messages say, and writes down what happened."""

import asyncio
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def _note(**event: object) -> None:
    with Path(os.environ["SAMPLE_LOG"]).open("a") as log:
        log.write(json.dumps(event) + "\n")


@app.route("echo/{name}", methods=["GET", "POST"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Tell what the function sees of a request."""
    seen = {
        "method": req.method,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json")


@app.route("pid", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def pid(req: func.HttpRequest) -> str:  # noqa: ARG001 (the trigger's binding)
    """Tell the process, from a blocking function."""
    return f"{os.getpid()} {threading.current_thread() is threading.main_thread()}"


@app.route("slow", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def slow(req: func.HttpRequest) -> str:
    """Take as long as asked."""
    _note(slow="begun")
    await asyncio.sleep(float(req.params["seconds"]))
    return "done"


@app.queue_trigger(arg_name="message", queue_name="%SAMPLE_QUEUE%", connection="AzureWebJobsStorage")
async def work(message: func.QueueMessage) -> None:
    """Do what the message says."""
    body = message.get_body().decode()
    order: dict[str, Any] = json.loads(body) if body.startswith("{") else {"do": "note"}
    _note(begun=body, id=message.id, count=message.dequeue_count)
    match order["do"]:
        case "fail":
            raise ValueError(body)
        case "sleep":
            await asyncio.sleep(order["seconds"])
        case "block":
            time.sleep(order["seconds"])  # noqa: ASYNC251 (a user function that blocks its event loop)
        case "until SIGTERM":
            stopped = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
            await stopped.wait()
    _note(ended=body, id=message.id)


@app.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *", run_on_startup=True)
async def yearly(timer: func.TimerRequest) -> None:
    """Fire at start, and once a year."""
    _note(timer="fired", past_due=timer.past_due)


@app.event_grid_trigger(arg_name="event")
async def arrived(event: func.EventGridEvent) -> None:
    """Note an event."""
    _note(event=event.id, data=event.get_json())
