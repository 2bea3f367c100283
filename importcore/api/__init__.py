"""The HTTP API without the types of Azure Functions: an operation takes what was sent and gives status, headers, JSON.

http_api.py        the operations
prefer.py          `Prefer: wait`, and the statuses for who waits
arm_api.py         ARM's own operation, for its SDKs; arm_views.py its errors, arm_description.py its description
views.py           what users get to read of a record; preview_views.py of a preview
openapi.py         the description of it all, generated from the models that validate
"""
