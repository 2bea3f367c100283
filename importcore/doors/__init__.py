"""Where news of a push comes in, up to the reception, which knows what it means.

webhooks.py        one delivery to `/api/hooks/{kind}`: its proof, its pushes, Docker Hub's callback
event_messages.py  one message of the queue `events`, where Event Grid delivers
event_message.py   what such a message can be
handing_in.py      each push of a delivery to the reception, and what became of them all
"""
