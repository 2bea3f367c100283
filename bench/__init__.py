"""Measures the copy core against its peers (`copy_images.py`), and HTTP clients (`http_client.py`)."""
