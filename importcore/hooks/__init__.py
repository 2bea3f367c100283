"""What registries send when something was pushed, one file for each sender, all read into `PushEvent`.

push_event.py     PushEvent, and what a delivery was found to hold
payload.py        reading a body, with the path of whatever is missing
proof.py          who may send: header, bearer token, signature over the raw body
senders.py        which kind is read by which file
registry_event.py one event in distribution's form, which ACR, Event Grid and GitLab's registry share
"""
