"""A Functions host for one machine: runs a `function_app.py` as it is, without Azure and without the Core Tools.

One process stands for the host *and* its Python worker: it indexes the app through azure-functions' own metadata,
listens to HTTP and to the queues, and runs the user functions on its event loop (`def` functions in a thread pool),
as the real worker does. What the real host guarantees by being a second process is left to whoever starts this one
(`devtools.stack` does it): when the process dies, start it again.

Imitated, in the words of the host's and the storage extension's sources and of what was seen on a running host:

* HTTP: route prefix, templates and constraints; 404 for an unknown route and for a wrong method; lower-case header
  names; an empty body as an absent one; 500 with an empty body after an exception or a `None`; keys on request.
* Queues: `batchSize`, `newBatchThreshold`, polling back-off, first visibility of ten minutes and its renewal every
  five, `maxDequeueCount`, the poison queue, `visibilityTimeout`, base64, the delete with the last known pop receipt.
* Timers (six-field NCRONTAB, `run_on_startup`) and the Event Grid webhook with its validation handshake.
* `functionTimeout`: the process ends at once, and every invocation in it; messages come back by their visibility.
* SIGTERM: no new message, running invocations may end, exit 0.

Not imitated: input and output bindings (other than the HTTP answer), retry policies, dynamic concurrency, the timer's
lease and schedule monitor, several worker processes per host, Easy Auth, `/admin`. An app that asks for a trigger or
binding that is not known here is refused at start, by name.
"""
